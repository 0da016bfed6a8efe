"""Fleet files: profiles and agents, from plain values to what is desired of everybody."""
