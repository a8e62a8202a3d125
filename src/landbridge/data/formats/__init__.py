"""Networks and trips in the formats that assignment programs exchange: TNTP and GMNS."""

from landbridge.data.formats.gmns import read_gmns, read_gmns_trips, write_gmns
from landbridge.data.formats.records import Change, FlowFile, NetworkFile, TripsFile
from landbridge.data.formats.tntp import read_tntp_flows, read_tntp_network, read_tntp_trips

__all__ = [
    "Change",
    "FlowFile",
    "NetworkFile",
    "TripsFile",
    "read_gmns",
    "read_gmns_trips",
    "read_tntp_flows",
    "read_tntp_network",
    "read_tntp_trips",
    "write_gmns",
]
