"""CCNET, the protocol of CashCode's validators (SM, FL, MVU), of the Creator C100 and the ICT L83."""
