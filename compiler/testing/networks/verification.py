"""The words about a network: each holds for all packets of a set, over every failure that is allowed, or fails.

::

    lan.verify().reachable("anna", "server", "tcp/80")
    lan.verify().under(failures=1).reachable("anna", "server", "tcp/80")
    lan.verify().for_all(packets(protocol="udp")).unreachable("guest", "server")

Where every device on the way is stateless the answer is proved over all
packets; where one translates, tracks connections or counts, the simulator tries
packets from the corners of the rules, and the answer says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from compiler.errors import UsageError
from compiler.testing.answer import Answer, Sureness, demand, hides
from compiler.testing.headers import Headers, packets
from compiler.testing.networks.deciding import Begin, Claim, begins, broken, is_there, refuted
from compiler.testing.networks.ends import places
from compiler.testing.networks.failures import failures, mortal
from compiler.testing.networks.flows import Arrival, BeyondSets, End
from compiler.testing.networks.model import NetworkModel
from compiler.testing.policies import Policy

__all__ = ["Verification"]


__tracebackhide__ = hides


@dataclass(frozen=True, slots=True)
class Verification:
    """Questions about one network. Words return their answer or raise PropertyFailed."""

    model: NetworkModel
    failing: int = 0
    among: tuple[str, ...] = ()
    headers: Headers | None = None

    # -- modifiers -----------------------------------------------------------------------------

    def under(self, failures: int = 1, *, among: str | tuple[str, ...] = ()) -> Verification:
        """The same questions while up to that many parts are dead: all but hosts and their cables, or those named."""
        names = (among,) if isinstance(among, str) else tuple(among)
        mortal(self.model, names)
        return replace(self, failing=failures, among=names)

    def for_all(self, headers: Headers) -> Verification:
        """The same questions for these packets only."""
        return replace(self, headers=headers)

    # -- words ---------------------------------------------------------------------------------

    def reachable(self, source: str, destination: str, service: str = "") -> Answer:
        """Every packet of the service from the one end arrives at the other."""
        return demand(self.ask_reachable(source, destination, service))

    def unreachable(self, source: str, destination: str, service: str = "") -> Answer:
        """No packet of the service from the one end arrives at the other."""
        return demand(self.ask_unreachable(source, destination, service))

    def isolated(self, left: str, right: str, service: str = "") -> Answer:
        """No packet arrives from either end at the other."""
        question = self._question("isolated", left, right, service)
        answer = self.ask_unreachable(left, right, service)
        if answer.held:
            answer = self.ask_unreachable(right, left, service)
        return demand(replace(answer, question=question))

    def via(self, source: str, destination: str, node: str, service: str = "") -> Answer:
        """Every packet that arrives has passed the node."""
        return demand(self.ask_way(source, destination, node, service, wanted=True))

    def avoids(self, source: str, destination: str, node: str, service: str = "") -> Answer:
        """No packet that arrives has passed the node."""
        return demand(self.ask_way(source, destination, node, service, wanted=False))

    def no_loop(self) -> Answer:
        """No packet, from any host to any address, comes to a router by a port where it was before."""
        return demand(self.ask_loop())

    def no_shadowed_rule(self) -> Answer:
        """Each rule of each router decides some packet."""
        answers = [policy.ask_shadowed() for policy in self._policies()]
        if not answers:
            raise UsageError(f"{self.model.source}: no router has rules that a proof can see")
        return demand(next((answer for answer in answers if not answer.held), answers[-1]))

    # -- answers -------------------------------------------------------------------------------

    def ask_reachable(self, source: str, destination: str, service: str = "") -> Answer:
        """Whether all arrive."""
        question = self._question("reachable", source, destination, service)
        claim = Claim(question, lambda begin, arrival: not is_there(begin, arrival), "does not arrive")
        return self._decide(claim, source, destination, service)

    def ask_unreachable(self, source: str, destination: str, service: str = "") -> Answer:
        """Whether none arrives."""
        claim = Claim(self._question("unreachable", source, destination, service), is_there, "arrives")
        return self._decide(claim, source, destination, service)

    def ask_way(self, source: str, destination: str, node: str, service: str = "", *, wanted: bool) -> Answer:
        """Whether all (``wanted``) or none of what arrives has passed the router."""
        routers = [router.name for router in self.model.routers]
        if node not in routers:
            raise UsageError(f"no router is called {node!r}; there are {', '.join(routers) or 'none'}")

        def wrong(begin: Begin, arrival: Arrival) -> bool:
            passed = any(visit.node == node for visit in arrival.visits)
            return is_there(begin, arrival) and passed is not wanted

        question = self._question("via" if wanted else "avoids", source, destination, service, f", by {node}")
        said = f"arrives {'without' if wanted else 'by way of'} {node}"
        return self._decide(Claim(question, wrong, said), source, destination, service)

    def ask_loop(self) -> Answer:
        """Whether any packet of any host goes round."""
        headers = self.headers or packets()
        question = f"no_loop: {headers}{self._under_text()}"
        claim = Claim(question, lambda begin, arrival: arrival.end is End.LOOPED, "goes round in a circle")
        return self._over(claim, headers, tuple(begins(headers, self.model.hosts, None)))

    # -- deciding ------------------------------------------------------------------------------

    def _decide(self, claim: Claim, source: str, destination: str, service: str) -> Answer:
        headers = self._headers(service)
        ends = places(self.model, source), places(self.model, destination)
        return self._over(claim, headers, tuple(begins(headers, *ends)))

    def _over(self, claim: Claim, headers: Headers, beginnings: tuple[Begin, ...]) -> Answer:
        """Every beginning under every failure; the fewest failures first. UsageError when there is nothing to ask."""
        if not beginnings:
            raise UsageError(f"{claim.question}: there is no such packet, so nothing was asked")
        cases = 0
        for dead in failures(mortal(self.model, self.among), self.failing):
            for begin in beginnings:
                cases += 1
                try:
                    found = broken(self.model, headers, begin, dead, claim)
                except BeyondSets as beyond:
                    raise UsageError(f"{claim.question}: {beyond}") from beyond
                if found is not None:
                    return refuted(claim, found[0], begin, found[1], dead)
        return Answer(claim.question, True, Sureness.PROVED, f"over all packets, in {cases:,} cases")

    def _headers(self, service: str) -> Headers:
        if self.headers is not None and service:
            raise UsageError("for_all says already which packets: leave the service out")
        return self.headers or packets(service=service)

    def _policies(self) -> Iterator[Policy]:
        from compiler.semantics.lower import machine

        for router in self.model.routers:
            if router.tree is not None:
                yield Policy(router.tree, machine(router.tree), router.tree.source)

    def _question(self, word: str, source: str, destination: str, service: str, more: str = "") -> str:
        what = f", {self.headers or service}" if self.headers or service else ""
        joined = "and" if word == "isolated" else "to"
        return f"{word}: {source} {joined} {destination}{what}{more}{self._under_text()}"

    def _under_text(self) -> str:
        return f", with up to {self.failing} dead" if self.failing else ""
