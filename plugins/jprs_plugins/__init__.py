"""First-party integrations, one file each; they see only `jprs_client.plugin` and `jprs_client.errors`."""
