"""Who may write a state: what a lock is, how one is held, and that of one machine."""
