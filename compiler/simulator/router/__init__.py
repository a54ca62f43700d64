"""Routers: the packet pipelines of Linux, RouterOS and IOS, with connections, translations and routes."""
