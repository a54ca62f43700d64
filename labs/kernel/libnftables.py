"""nft rules through libnftables: the deploy to Linux owns the binding."""

from __future__ import annotations

from compiler.deploy.linux.libnftables import Nftables, NftablesError, is_installed

__all__ = ["Nftables", "NftablesError", "is_installed"]
