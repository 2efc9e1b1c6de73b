"""Tables decide: one small table for each thing with a life of its own, and one that composes a sale from its parts."""
