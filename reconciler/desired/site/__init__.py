"""site.yaml: from plain values to the settings of a site."""
