"""The same sweep on a Dask cluster of two workers on loopback; one of them is killed in the middle."""

import logging
import os
import signal
from functools import partial

import pytest

from compiler.errors import UsageError
from compiler.testing.sweeps import Outcome, SweepStopped, sweep
from compiler.testing.sweeps.configurations import ConfigurationCheck, Fleet, properties_of
from tests.compiler.testing.sweeps import checks
from tests.fleet import CLOSED, write_fleet

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Two processes with one thread each, and a scheduler; all gone afterwards."""
    import dask

    settings = {
        "distributed.worker.memory.terminate": False,
        "distributed.comm.timeouts.connect": "20s",
        "distributed.scheduler.active-memory-manager.start": False,
    }
    with (
        dask.config.set(settings),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            local_directory=str(tmp_path_factory.mktemp("dask")),
            silence_logs=logging.CRITICAL,
        ) as held,
    ):
        yield held


def by_identity(results):
    return {result.identity: result.substance for result in results}


def test_a_cluster_finds_what_one_process_finds(cluster, tmp_path):
    write_fleet(tmp_path / "fleet", 45, most=30)
    fleet = Fleet([str(tmp_path / "fleet")])
    check = ConfigurationCheck(properties_of([f"unreachable any {CLOSED} tcp/23", "no_shadowed_rule"]))
    alone = by_identity(sweep(fleet, check, processes=0))
    assert {one.outcome for one in alone.values()} == set(Outcome)
    assert by_identity(sweep(fleet, check, executor=cluster.scheduler_address)) == alone


def test_an_executor_of_the_callers_client_does_the_same(cluster):
    with distributed.Client(cluster, set_as_default=False) as client:
        found = by_identity(sweep(range(1, 51), checks.refuses_sevens, executor=client.get_executor()))
        assert found == by_identity(sweep(range(1, 51), checks.refuses_sevens, processes=0))
        assert client.submit(int, "7").result() == 7


def test_a_worker_killed_from_outside_loses_nothing(cluster, tmp_path):
    found, victims = [], []
    for result in sweep(
        range(200), checks.process_of, executor=cluster.scheduler_address, journal=tmp_path / "night.jsonl"
    ):
        found.append(result)
        if len(found) == 40:
            victims.append(result.value)
            os.kill(result.value, signal.SIGKILL)
    assert victims
    assert sorted(int(one.identity) for one in found) == list(range(200))
    assert all(one.held for one in found)


def test_an_item_that_kills_its_worker_is_tried_elsewhere(cluster, tmp_path):
    check = partial(checks.kills_its_worker_once, mark=str(tmp_path / "mark"))
    found = by_identity(sweep(range(1, 61), check, executor=cluster.scheduler_address))
    assert (tmp_path / "mark").exists()
    assert found == by_identity(sweep(range(1, 61), check, processes=0))


def test_a_cluster_without_workers_ends_the_sweep_and_the_journal_holds(tmp_path, monkeypatch):
    monkeypatch.setattr("compiler.testing.sweeps.cluster._DESERTED", 0.5)
    journal = tmp_path / "night.jsonl"
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0", silence_logs=50
    ) as own:
        told = []

        def tell(result):
            told.append(result)
            if len(told) == 5:
                own.scale(0)

        with pytest.raises(SweepStopped, match="no workers"):
            list(sweep(range(200), checks.waits, executor=own.scheduler_address, journal=journal, on_result=tell))
    found = list(sweep(range(200), checks.refuses_sevens, processes=0))
    assert {one.identity: one.held for one in told}.items() <= {one.identity: one.held for one in found}.items()
    again = list(sweep(range(200), checks.waits, processes=2, journal=journal))
    assert sum(one.resumed for one in again) >= len(told)
    assert len(again) == 200


def test_a_cluster_that_is_not_there_is_said(monkeypatch):
    monkeypatch.setattr("compiler.testing.sweeps.cluster._CONNECT", 0.5)
    with pytest.raises(UsageError, match="no cluster answers"):
        list(sweep([1], checks.refuses_sevens, executor="tcp://127.0.0.1:1"))
