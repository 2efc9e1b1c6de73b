"""What the core asks of the world, and what the world reports: one file a port, and not a byte of any protocol.

A command is an intent that was durable before it was handed over. A fact names its instance, never "the present sale".
"""
