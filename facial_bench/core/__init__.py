"""What everything stands on: records, errors, the protocol, digests, files, geometry."""
