"""The classifier on a cluster of processes: the proof of the local fit, and what happens to it when things go wrong."""

import os
import pickle
import signal
import threading
import time

import numpy as np
import pytest
import scipy.sparse as sp
from cases import blobs, mostly_slow
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from linear_hinge import MulticlassHingeClassifier

pytest.importorskip("distributed")
import dask
import dask.array as da
import dask.dataframe as dd
import pandas as pd
from distributed import Client, LocalCluster

from linear_hinge.dask import DaskMulticlassHingeClassifier
from linear_hinge.estimator import cluster as cluster_module
from linear_hinge.estimator.cluster import DaskPartitions

pytestmark = pytest.mark.filterwarnings("ignore")
PARAMS = {"alpha": 0.1, "tol": 0.01, "random_state": 0}
CLUSTER = {"n_workers": 2, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
EXACT = {"tol": 1e-9, "max_iter": 5000}


@pytest.fixture(scope="module")
def client():
    with LocalCluster(**CLUSTER) as cluster, Client(cluster) as client:
        yield client


@pytest.fixture(scope="module")
def data():
    return blobs(240)


@pytest.fixture(scope="module")
def local(data):
    return MulticlassHingeClassifier(**PARAMS | EXACT).fit(*data)


def in_chunks(X, y, size=120):
    return da.from_array(X, chunks=(size, X.shape[1])), da.from_array(y, chunks=size)


def assert_proven(model, optimum):
    assert model.duality_gap_ <= model.tol
    assert model.dual_objective_ <= optimum
    assert model.objective_ <= optimum * (1 + 1.01 * model.tol)


def assert_nothing_left(client):
    for _ in range(50):
        if not any(client.run(lambda dask_worker: len(dask_worker.data)).values()):
            return
        time.sleep(0.1)
    raise AssertionError(client.run(lambda dask_worker: list(dask_worker.data)))


def test_it_proves_what_the_local_fit_proves(client, data, local):
    X, y = in_chunks(*data, size=60)
    model = DaskMulticlassHingeClassifier(**PARAMS | {"tol": 1e-3}).fit(X, y)
    assert_proven(model, local.objective_)
    assert_array_equal(model.classes_, local.classes_)
    assert_array_equal(model.predict(X).compute(), model.to_local().predict(data[0]))
    assert_array_equal(model.predict(data[0]), model.to_local().predict(data[0]))
    assert_allclose(model.decision_function(X).compute(), model.to_local().decision_function(data[0]))
    assert_allclose(model.score(X, y), model.to_local().score(*data))
    assert len(model.history_["gap"]) == model.n_iter_
    assert_nothing_left(client)


def test_weights_and_labels_mean_what_they_mean_locally(client, data):
    X, codes = data
    y = np.array(["pear", "apple", "fig"])[codes]
    weights = np.random.RandomState(0).uniform(0, 2, len(y)).round()
    params = PARAMS | {"class_weight": "balanced", "loss": "crammer_singer"}
    optimum = MulticlassHingeClassifier(**params | EXACT).fit(X, y, weights)
    parts = [np.arange(0, 80), np.arange(80, 81), np.arange(81, 81), np.arange(81, 240)]  # one is empty
    columns = [[dask.delayed(column)[part] for part in parts] for column in (X, y, weights)]
    model = DaskMulticlassHingeClassifier(**params).fit(*columns)
    assert_proven(model, optimum.objective_)
    assert_array_equal(model.classes_, ["apple", "fig", "pear"])


def test_a_margin_for_each_pair_means_what_it_means_locally(client, data):
    X, y = data
    margin = 3 * np.abs(np.subtract.outer(range(3), range(3)))
    local = MulticlassHingeClassifier(alpha=1e-2, margin=margin, tol=1e-6, random_state=0).fit(X, y)
    model = DaskMulticlassHingeClassifier(alpha=1e-2, margin=margin, client=client, random_state=0)
    assert_proven(model.fit(*in_chunks(X, y)), local.objective_)


def test_sorted_sparse_binary_partitions_that_are_loaded_anew(client):
    X, y = blobs(200, n_classes=2)
    order = np.argsort(y, kind="stable")
    X, y = sp.csr_array(X[order].astype(np.float32)), y[order]
    optimum = MulticlassHingeClassifier(**PARAMS | EXACT).fit(X.astype(np.float64), y).objective_
    halves = [slice(0, 100), slice(100, 200)]
    parts = [dask.delayed(X[rows]) for rows in halves], [dask.delayed(y[rows]) for rows in halves]
    model = DaskMulticlassHingeClassifier(**PARAMS, persist=False).fit(*parts)
    assert_proven(model, optimum * (1 + 1e-6))
    assert model.coef_.dtype == np.float32


def test_frames_keep_the_names_of_their_columns(client, data, local):
    frame = pd.DataFrame(data[0], columns=list("abcde"))
    X = dd.from_pandas(frame, npartitions=3)
    y = dd.from_pandas(pd.Series(data[1]), npartitions=3)
    model = DaskMulticlassHingeClassifier(**PARAMS).fit(X, y)
    assert_proven(model, local.objective_)
    assert list(model.feature_names_in_) == list("abcde")
    assert_array_equal(model.predict(X).compute(), model.to_local().predict(frame))


def test_the_same_partitions_give_the_same_model_wherever_they_lie(client, data):
    X, y = in_chunks(*data, size=70)
    with Client(processes=False, n_workers=1, threads_per_worker=3, dashboard_address="127.0.0.1:0") as other:
        models = [
            DaskMulticlassHingeClassifier(**PARAMS, client=used, persist=persist).fit(X, y)
            for used, persist in ((client, True), (other, True), (client, False))
        ]
    for model in models[1:]:
        assert_array_equal(model.coef_, models[0].coef_)
        assert model.dual_objective_ == models[0].dual_objective_


def test_clones_and_pickles_know_what_they_should(client, data):
    model = DaskMulticlassHingeClassifier(**PARAMS, client=client).fit(*in_chunks(*data))
    assert clone(model).client is client
    copy = pickle.loads(pickle.dumps(model))
    assert copy.client is None
    assert_array_equal(copy.predict(data[0]), model.to_local().predict(data[0]))


def test_a_partition_that_raises_ends_the_fit_with_its_error(client, data):
    def broken(part):
        raise OSError("the disk is gone")

    parts = [dask.delayed(data[0][:120]), dask.delayed(broken)(1)], [dask.delayed(data[1][:120])] * 2
    model = DaskMulticlassHingeClassifier(**PARAMS)
    with pytest.raises(OSError, match="the disk is gone"):
        model.fit(*parts)
    assert not hasattr(model, "coef_")
    assert_nothing_left(client)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, y: (X, y[:100]), "inconsistent numbers of samples"),
        (lambda X, y: (X, da.zeros_like(y)), "at least 2 classes"),
        (lambda X, y: (da.where(X > 3, np.nan, X), y), "NaN"),
        (lambda X, y: (X[:0], y[:0]), "0 sample"),
    ],
    ids=["lengths", "one class", "NaN", "no rows"],
)
def test_what_does_not_fit_is_an_error(client, data, change, message):
    with pytest.raises(ValueError, match=message):
        DaskMulticlassHingeClassifier(**PARAMS).fit(*change(*in_chunks(*data)))
    assert_nothing_left(client)


def test_what_is_in_memory_is_referred_to_the_local_fit(client, data):
    with pytest.raises(TypeError, match="MulticlassHingeClassifier takes what is in memory"):
        DaskMulticlassHingeClassifier().fit(*data)


def test_an_unfinished_fit_warns_with_its_gap(client, data):
    model = DaskMulticlassHingeClassifier(**PARAMS, max_iter=1)
    with pytest.warns(ConvergenceWarning, match="relative duality gap"):
        model.fit(*in_chunks(*data))


def test_verbose_lines_appear_at_the_client(client, data, capsys):
    model = DaskMulticlassHingeClassifier(**PARAMS, verbose=1).fit(*in_chunks(*data))
    assert len(capsys.readouterr().out.splitlines()) == model.n_iter_


def test_two_fits_at_once_do_not_disturb_each_other(client, data):
    X, y = in_chunks(*data)
    alone = DaskMulticlassHingeClassifier(**PARAMS).fit(X, y)
    models = [DaskMulticlassHingeClassifier(**PARAMS, client=client) for _ in range(2)]
    threads = [threading.Thread(target=model.fit, args=(X, y)) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=300)
    for model in models:
        assert_array_equal(model.coef_, alone.coef_)
    assert_nothing_left(client)


def at_question(monkeypatch, number, act):
    """Act while the partitions are at work on a question of this number."""
    ask, asked = DaskPartitions._submit, []

    def submit(self, *arguments):
        future = ask(self, *arguments)
        if (self.n_asked, len(asked)) == (number, 0):
            asked.append(number)
            act()
        return future

    monkeypatch.setattr(DaskPartitions, "_submit", submit)
    return asked


def test_ctrl_c_ends_the_fit_and_leaves_nothing_behind(client, data, monkeypatch, ctrl_c_raises):
    at_question(monkeypatch, 8, lambda: signal.raise_signal(signal.SIGINT))
    model = DaskMulticlassHingeClassifier(**PARAMS)
    with pytest.raises(KeyboardInterrupt):
        model.fit(*in_chunks(*data))
    assert not hasattr(model, "coef_")
    assert_nothing_left(client)


@mostly_slow("number, is_nannied", [(9, True), (4, False)], ids=["restarted", "gone for good"])
def test_a_killed_worker_costs_progress_only(data, local, number, is_nannied, monkeypatch):
    with LocalCluster(**CLUSTER) as cluster, Client(cluster) as client:
        worker, pid = min(client.run(os.getpid).items())

        def kill():
            if not is_nannied:
                nanny = next(nanny for nanny in cluster.workers.values() if nanny.worker_address == worker)
                nanny.auto_restart = False
            os.kill(pid, signal.SIGKILL)

        killed = at_question(monkeypatch, number, kill)
        model = DaskMulticlassHingeClassifier(**PARAMS, client=client).fit(*in_chunks(*data))
        assert killed
        assert_proven(model, local.objective_)
        assert_nothing_left(client)


def test_a_partition_that_kills_its_workers_ends_the_fit(data, monkeypatch):
    """As one does that is too large for them."""
    with LocalCluster(**CLUSTER) as cluster, Client(cluster) as client:
        monkeypatch.setattr(cluster_module, "MOST_LOSSES", 0)
        at_question(monkeypatch, 4, lambda: [os.kill(pid, signal.SIGKILL) for pid in client.run(os.getpid).values()])
        with pytest.raises(RuntimeError, match="lost 1 times in a row"):
            DaskMulticlassHingeClassifier(**PARAMS, client=client).fit(*in_chunks(*data))
