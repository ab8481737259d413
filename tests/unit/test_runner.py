"""The runner's promises: sealed work is never done twice, no row is lost or doubled, a kill costs a retry."""

from __future__ import annotations

import multiprocessing
import signal
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from tests.build.fakes import FakeIngest, FakePlan, FakeRecipe, Gather, Sieve, fake_recipe, run_at_once, run_mortal
from tracemill.engine.resources import Resources
from tracemill.engine.runner import ShardResult, run_shard, shard_count
from tracemill.engine.step import Step
from tracemill.engine.store import Manifest, Store
from tracemill.errors import ConservationError, MissingInput, RecipeError
from tracemill.recipe import Recipe

STEPS = ("plan", "ingest", "sieve", "gather")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path / "store"), create=True)


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Processes that start in milliseconds: the server imports what they need once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.build.fakes", "tracemill.engine.runner"])
    return context


def run_all(recipe: Recipe, store: Store) -> list[ShardResult]:
    results = []
    for name in STEPS:
        step = recipe.step(name)
        for index in range(shard_count(store)) if step.shape == "map" else [0]:
            results.append(run_shard(recipe, store, name, index, Resources(workers=1)))
    return results


def data_of(store: Store) -> dict[str, bytes | Manifest]:
    """All objects by key; manifests without the seconds that the work took, which differ from run to run."""
    root, found = Path(store.root), dict[str, bytes | Manifest]()
    for path in root.rglob("*"):
        key = str(path.relative_to(root))
        if not path.is_file() or key.endswith(".part"):
            continue
        data = path.read_bytes()
        sealed = "/" in key and path.suffix == ".json"
        found[key] = Manifest.model_validate_json(data).model_copy(update={"seconds": 0.0}) if sealed else data
    return found


def written(store: Store) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in Path(store.root).rglob("*") if path.is_file()}


def computed(results: list[ShardResult]) -> list[str]:
    return [f"{r.manifest.step}[{r.manifest.index}]" for r in results if not r.reused]


class TestReuse:
    def test_a_second_run_touches_nothing(self, store: Store) -> None:
        run_all(fake_recipe(), store)
        before = written(store)

        again = run_all(fake_recipe(), store)

        assert computed(again) == []
        assert written(store) == before

    def test_resources_never_change_a_fingerprint(self, store: Store) -> None:
        run_all(fake_recipe(), store)

        result = run_shard(fake_recipe(), store, "sieve", 0, Resources(workers=7, environment={"A": "b"}))

        assert result.reused

    @pytest.mark.parametrize(
        ("change", "again"),
        [
            pytest.param({"sieve": Sieve(by=2)}, ["sieve[0]", "sieve[1]", "gather[0]"], id="a setting of one step"),
            pytest.param(
                {"ingest": FakeIngest(rows=6)},
                ["ingest[0]", "ingest[1]", "sieve[0]", "sieve[1]", "gather[0]"],
                id="an input",
            ),
            pytest.param(
                {"plan": FakePlan(shards=3)}, ["plan[0]", "ingest[2]", "sieve[2]", "gather[0]"], id="one more shard"
            ),
            pytest.param({}, [], id="nothing"),
        ],
    )
    def test_only_what_a_change_reaches_is_done_again(
        self, store: Store, change: dict[str, Step], again: list[str]
    ) -> None:
        run_all(fake_recipe(), store)

        assert computed(run_all(fake_recipe(**change), store)) == again

    def test_a_newer_version_of_a_step_is_run(self, store: Store) -> None:
        class NewerSieve(Sieve):
            version = 2

        run_all(fake_recipe(), store)

        assert computed(run_all(fake_recipe(sieve=NewerSieve()), store)) == ["sieve[0]", "sieve[1]"]

    def test_outside_material_is_part_of_the_fingerprint(self, store: Store, tmp_path: Path) -> None:
        benchmark = tmp_path / "benchmark.jsonl"
        benchmark.write_text("first")
        recipe = fake_recipe(sieve=Sieve(file=str(benchmark)))
        run_all(recipe, store)
        benchmark.write_text("second")

        assert "sieve[0]" in computed(run_all(recipe, store))
        assert computed(run_all(recipe, store)) == []

    def test_settings_that_changed_back_cost_nothing(self, store: Store) -> None:
        first = run_all(fake_recipe(), store)
        run_all(fake_recipe(sieve=Sieve(by=2)), store)

        back = run_all(fake_recipe(), store)

        assert computed(back) == []
        assert [r.manifest for r in back] == [r.manifest for r in first]
        assert store.manifest("sieve", 0) == first[3].manifest

    def test_an_upstream_change_without_effect_stops_there(self, store: Store) -> None:
        """by=10**6 rejects nothing, and neither does by=10**7: other settings, same rows, same digests."""
        run_all(fake_recipe(sieve=Sieve(by=10**6)), store)

        assert computed(run_all(fake_recipe(sieve=Sieve(by=10**7)), store)) == ["sieve[0]", "sieve[1]"]


class TestConservation:
    @pytest.mark.parametrize(
        ("fault", "said"),
        [
            pytest.param("lose", "1 rows lost", id="lost"),
            pytest.param("double", "1 doubled or invented", id="doubled"),
            pytest.param("invent", "p-of-nobody", id="invented"),
        ],
    )
    def test_a_step_that_breaks_it_seals_nothing(self, store: Store, fault: str, said: str) -> None:
        recipe = fake_recipe(sieve=Sieve.model_validate({"fault": fault}))

        with pytest.raises(ConservationError, match=said):
            run_all(recipe, store)

        assert store.manifest("sieve", 0) is None

    def test_counts_add_up(self, store: Store) -> None:
        results = run_all(fake_recipe(sieve=Sieve(by=2)), store)
        counts = [result.manifest.counts for result in results if result.manifest.step == "sieve"]

        assert [c.entered for c in counts] == [5, 5]
        assert all(c.kept + sum(c.rejected.values()) == 5 for c in counts)
        assert 0 < sum(c.rejected.get("divisible", 0) for c in counts) < 10

    def test_what_one_step_turns_away_the_next_never_sees(self, store: Store) -> None:
        results = run_all(fake_recipe(sieve=Sieve(by=2), gather=Gather()), store)
        kept = sum(r.manifest.counts.kept for r in results if r.manifest.step == "sieve")

        released = results[-1].manifest
        ids = store.read_bytes(released.files["ids.txt"].key).decode().split("\n")

        assert released.counts.entered == kept == len(ids) == len(set(ids))


class TestInputs:
    def test_a_step_does_not_run_before_what_it_reads(self, store: Store) -> None:
        recipe = fake_recipe()
        run_shard(recipe, store, "plan", 0, Resources())

        with pytest.raises(MissingInput, match="'sieve' reads step 'ingest', whose shard 1 is not sealed"):
            run_shard(recipe, store, "sieve", 1, Resources())

    def test_nothing_runs_before_the_plan(self, store: Store) -> None:
        with pytest.raises(MissingInput, match="'plan' has not run"):
            run_shard(fake_recipe(), store, "ingest", 0, Resources())

    def test_a_shard_that_was_never_planned_is_named(self, store: Store) -> None:
        recipe = fake_recipe()
        run_shard(recipe, store, "plan", 0, Resources())

        with pytest.raises(MissingInput, match="no shard 2: the plan made 2, numbered from 0"):
            run_shard(recipe, store, "ingest", 2, Resources())

    def test_a_failing_world_seals_nothing_and_is_not_hidden(self, store: Store) -> None:
        with pytest.raises(OSError, match="the model server went away"):
            run_all(fake_recipe(sieve=Sieve(fault="raise")), store)

        assert store.manifest("sieve", 0) is None

    def test_two_recipes_do_not_share_a_root(self, store: Store) -> None:
        run_all(fake_recipe(), store)

        with pytest.raises(RecipeError, match="holds recipe 'fake', not 'other': give each its own root"):
            run_all(fake_recipe("other"), store)


# Where a process may die: in the step's work, then around every write that run_shard makes, in order.
PLACES = [
    *((victim, moment) for victim in ("labels-", "ledger-", ".json") for moment in ("before", "half", "after")),
    ("sieve/00000.json", "before"),
    ("sieve/00000.json", "half"),
    ("sieve/00000.json", "after"),
]


class TestKill:
    @pytest.fixture(scope="class")
    def undisturbed(self, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes | Manifest]:
        store = Store.at(str(tmp_path_factory.mktemp("undisturbed")), create=True)
        run_all(fake_recipe(), store)
        return data_of(store)

    @pytest.mark.parametrize(("victim", "moment"), PLACES, ids=[f"{moment} {victim}" for victim, moment in PLACES])
    def test_a_retry_after_kill_9_gives_the_same_bytes(
        self,
        store: Store,
        processes: ForkServerContext,
        undisturbed: dict[str, bytes | Manifest],
        victim: str,
        moment: str,
    ) -> None:
        recipe = fake_recipe()
        for index in range(2):
            run_shard(recipe, store, "plan", 0, Resources())
            run_shard(recipe, store, "ingest", index, Resources())

        worker = processes.Process(target=run_mortal, args=(recipe, store.root, victim, moment))
        worker.start()
        worker.join(60)

        assert worker.exitcode == -signal.SIGKILL
        committed = (victim, moment) == ("sieve/00000.json", "after")
        assert (store.manifest("sieve", 0) is not None) == committed
        run_all(recipe, store)
        assert data_of(store) == undisturbed

    def test_a_kill_inside_the_work_leaves_no_trace(
        self, store: Store, processes: ForkServerContext, undisturbed: dict[str, bytes | Manifest]
    ) -> None:
        recipe = fake_recipe()
        run_shard(recipe, store, "plan", 0, Resources())
        run_shard(recipe, store, "ingest", 0, Resources())
        before = written(store)

        worker = processes.Process(target=run_mortal, args=(fake_recipe(sieve=Sieve(fault="die")), store.root, "-", ""))
        worker.start()
        worker.join(60)

        assert worker.exitcode == -signal.SIGKILL
        assert written(store) == before
        run_all(recipe, store)
        assert data_of(store) == undisturbed


class TestTwoCopies:
    def at_once(self, recipe: FakeRecipe, store: Store, processes: ForkServerContext) -> None:
        start = processes.Barrier(2)
        copies = [processes.Process(target=run_at_once, args=(recipe, store.root, start)) for _ in range(2)]
        for copy in copies:
            copy.start()
        for copy in copies:
            copy.join(60)
        assert [copy.exitcode for copy in copies] == [0, 0]

    def test_two_copies_of_every_task_give_the_bytes_of_one(
        self, store: Store, tmp_path: Path, processes: ForkServerContext
    ) -> None:
        alone = Store.at(str(tmp_path / "alone"), create=True)
        run_all(fake_recipe(), alone)

        self.at_once(fake_recipe(), store, processes)

        assert data_of(store) == data_of(alone)

    def test_copies_that_make_different_rows_agree_on_the_first(
        self, store: Store, processes: ForkServerContext
    ) -> None:
        """A teacher answers anew each time it is asked; still, all later steps must speak of the same rows."""
        self.at_once(fake_recipe(ingest=FakeIngest(random=True)), store, processes)

        assert computed(run_all(fake_recipe(ingest=FakeIngest(random=True)), store)) == []
        released = store.manifest("gather", 0)
        assert released is not None
        ids = store.read_bytes(released.files["ids.txt"].key).decode().split("\n")
        problems = [
            row["id"]
            for index in range(2)
            if (ingested := store.manifest("ingest", index))
            for row in store.get_table(ingested.tables["problems"]).to_pylist()
        ]
        assert set(ids) <= set(problems)
        assert released.counts.entered == len(ids)
