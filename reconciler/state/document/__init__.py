"""The document of a state: its fields, its layout, and how one of an older format is read."""
