"""The tests mirror the tree; whatever a promise rests on is proved here."""
