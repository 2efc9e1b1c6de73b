"""A carrier is one file: it delivers a top-up and answers accepted, declined or unknown, never anything else."""
