"""The map server's own records: jobs and the names of what they made. Results themselves stay folders."""

from landbridge.show.store.jobs import Job, JobStore, Status

__all__ = ["Job", "JobStore", "Status"]
