"""SSP and encrypted eSSP, the protocol of Innovative Technology's validators (NV9, NV10, NV11, NV200)."""
