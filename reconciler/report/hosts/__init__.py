"""Reports in the formats of CI hosts, which show problems at their lines and numbers on their pages."""
