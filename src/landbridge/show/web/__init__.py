"""The map's server: results folders, routes and the atlas as a typed interface on loopback, and what-ifs as jobs."""

from landbridge.show.web.app import create_app

__all__ = ["create_app"]
