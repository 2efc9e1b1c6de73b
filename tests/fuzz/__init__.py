"""Noise, and answers that came to harm, for every protocol: nothing breaks, nothing hangs, nothing is credited."""
