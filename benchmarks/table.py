"""THE table: one row for each benchmark."""

from collections.abc import Callable
from functools import partial

from benchmarks.measures import (
    encryption,
    idle,
    mixed,
    pages,
    pauses,
    rest_reads,
    size,
    tcp_reads,
    uploads,
    wallets,
    writes,
)
from benchmarks.model import Benchmark, Figure, Target

PER_SECOND = "requests/s"
Measure = Callable[..., dict[str, Figure]]


def _at_most(of: str, bound: float) -> Target:
    return Target(of, bound, at_least=False)


def _writes(clients: int, rate: float, p99_ms: float) -> Benchmark:
    return Benchmark(
        name=f"durable_writes_{clients}",
        summary=f"a step approved over TCP and durable before the answer, {clients} clients",
        unit=PER_SECOND,
        peers=("postgresql", "fastapi", "fdatasync"),
        targets=(Target("value", rate), _at_most("p99_ms", p99_ms), Target("postgresql", 4)),
        measure=partial(writes.measure, clients=clients),
    )


def _beside_1000(name: str, summary: str, measure: Measure, *, long: bool) -> Benchmark:
    return Benchmark(
        name=name,
        summary=f"{summary} over TCP with {'1,000,000' if long else '100,000'} profiles beside 1,000",
        unit=PER_SECOND,
        peers=(size.SMALL,),
        targets=(Target(size.SMALL, 0.9),),
        measure=partial(measure, profiles=size.MILLION if long else size.PROFILES),
        long=long,
    )


def _writes_apart() -> Benchmark:
    return Benchmark(
        name="writes_apart_at_1m",
        summary="durable writes for customers who lie all over 1,000,000 profiles, each on a page of its own",
        unit=PER_SECOND,
        peers=(size.SMALL,),
        targets=(),
        measure=partial(size.writes, profiles=size.MILLION, apart=True),
        long=True,
    )


def _upload_100mb(form: str, least: float) -> Benchmark:
    return Benchmark(
        name=f"upload_100mb_{form}",
        summary=f"texts of 100 MB, {form}, two at a time, hashed and synced",
        unit="MB/s",
        peers=("cp+sha256", "fastapi", "flask"),
        targets=(Target("cp+sha256", least), Target("fastapi", 1.5), Target("flask", 3)),
        measure=partial(uploads.measure, form=form, files=uploads.LARGE),
    )


def _page(name: str, summary: str, paths: pages.Paths) -> Benchmark:
    return Benchmark(
        name=f"page_{name}_1m",
        summary=f"{summary}, one page after another, 1,000,000 profiles of which 100,000 wait",
        unit="pages/s",
        peers=(),
        targets=(_at_most("p99_ms", 50),),
        measure=partial(pages.measure, paths=paths),
        long=True,
    )


def _inspected(kind: str, files: uploads.Files) -> Benchmark:
    return Benchmark(
        name=f"inspection_{kind}",
        summary=f"{kind} files of about 1 MB, decoded before they are taken, beside texts, which are looked through",
        unit="MB/s",
        peers=("csv",),
        targets=(),
        measure=partial(uploads.inspection, files=files),
    )


TABLE = (
    Benchmark(
        name="tcp_read_depth1",
        summary="a profile of 2 KB over TCP, 50 connections, one request in flight on each",
        unit=PER_SECOND,
        peers=("redis-server", "asyncio"),
        targets=(Target("redis-server", 0.9),),
        measure=partial(tcp_reads.measure, depth=1),
    ),
    Benchmark(
        name="tcp_read_depth16",
        summary="a profile of 2 KB over TCP, 50 connections, sixteen requests in flight on each",
        unit=PER_SECOND,
        peers=("redis-server", "asyncio"),
        targets=(Target("redis-server", 0.7),),
        measure=partial(tcp_reads.measure, depth=16),
    ),
    Benchmark(
        name="rest_profile_read",
        summary="a profile of 2 KB over REST, 50 kept connections",
        unit=PER_SECOND,
        peers=("nginx", "fastapi"),
        targets=(Target("nginx", 1.0), Target("fastapi", 25)),
        measure=rest_reads.profile,
    ),
    Benchmark(
        name="rest_step_read",
        summary="a step over REST, 50 kept connections",
        unit=PER_SECOND,
        peers=("fastapi",),
        targets=(Target("fastapi", 5),),
        measure=rest_reads.step,
    ),
    Benchmark(
        name="rest_list_100",
        summary="a filtered list of a hundred profiles over REST, 50 kept connections",
        unit=PER_SECOND,
        peers=("fastapi",),
        targets=(Target("fastapi", 5),),
        measure=rest_reads.list_100,
    ),
    Benchmark(
        name="sep12_get_customer",
        summary="a Stellar wallet looks at one of 10,000 customers with three texts, 50 kept connections",
        unit="us CPU",
        peers=(wallets.POLARIS, wallets.LEAN),
        targets=(_at_most(wallets.POLARIS, 0.1),),
        measure=wallets.get_customer,
    ),
    _writes(1, 3_000, 1),
    _writes(8, 15_000, 2),
    _writes(64, 40_000, 5),
    _writes(512, 60_000, 25),
    Benchmark(
        name="mixed_read_p99",
        summary="p99 of reads among 10 % writes, 64 clients over TCP, beside reads alone",
        unit="ms",
        peers=("reads only",),
        targets=(_at_most("reads only", 3),),
        measure=mixed.measure,
    ),
    Benchmark(
        name="upload_1mb_raw",
        summary="pictures of 1 MB as raw bodies, four at a time, hashed and synced",
        unit="MB/s",
        peers=("cp+sha256", "fastapi", "flask"),
        targets=(Target("cp+sha256", 0.8), Target("fastapi", 1.5), Target("flask", 3)),
        measure=partial(uploads.measure, form="raw"),
    ),
    Benchmark(
        name="upload_1mb_multipart",
        summary="pictures of 1 MB as multipart forms, four at a time, hashed and synced",
        unit="MB/s",
        peers=("cp+sha256", "fastapi", "flask"),
        targets=(Target("cp+sha256", 0.6), Target("fastapi", 1.5), Target("flask", 3)),
        measure=partial(uploads.measure, form="multipart"),
    ),
    Benchmark(
        name="encryption_upload_1mb",
        summary="upload_1mb_raw encrypted on the disk, as by default, beside in clear",
        unit="MB/s",
        peers=(encryption.IN_CLEAR,),
        targets=(Target(encryption.IN_CLEAR, 0.8),),
        measure=encryption.upload,
    ),
    Benchmark(
        name="encryption_answers_64",
        summary="six answers saved over TCP, encrypted and durable before the answer, 64 customers, beside in clear",
        unit=PER_SECOND,
        peers=(encryption.IN_CLEAR,),
        targets=(Target(encryption.IN_CLEAR, 0.8),),
        measure=encryption.answers,
    ),
    _upload_100mb("raw", 0.8),
    _upload_100mb("multipart", 0.6),
    Benchmark(
        name="upload_memory",
        summary="memory the daemon grows by at most, two uploads of 100 MB at a time, beside two of 1 MB",
        unit="MB",
        peers=(uploads.SMALL,),
        targets=(_at_most("value", 64),),
        measure=uploads.memory,
    ),
    _inspected("png", uploads.PNG),
    _inspected("jpeg", uploads.JPEG),
    _inspected("pdf", uploads.PDF),
    Benchmark(
        name="start_100k",
        summary="from spawn to ready with 100,000 profiles of four steps",
        unit="s",
        peers=(),
        targets=(_at_most("value", 2),),
        measure=size.start,
    ),
    Benchmark(
        name="start_1m",
        summary="from spawn to ready with 1,000,000 profiles of four steps",
        unit="s",
        peers=(),
        targets=(_at_most("value", 20),),
        measure=partial(size.start, profiles=size.MILLION),
        long=True,
    ),
    Benchmark(
        name="memory_per_profile",
        summary="resident memory for each of 100,000 profiles of four steps",
        unit="bytes",
        peers=(),
        targets=(_at_most("value", 3072),),
        measure=size.memory,
    ),
    Benchmark(
        name="memory_with_documents",
        summary="the same with four documents each, their files and keys",
        unit="bytes",
        peers=(),
        targets=(_at_most("value", 6144),),
        measure=partial(size.memory, documents=4),
        long=True,
    ),
    Benchmark(
        name="collection_pause",
        summary="longest pause of the collector among 10 % writes, 64 clients, with 100,000 profiles",
        unit="ms",
        peers=(),
        targets=(_at_most("value", 5),),
        measure=partial(pauses.measure, what="collection_ms"),
    ),
    Benchmark(
        name="loop_pause",
        summary="longest time the loop did not come round meanwhile",
        unit="ms",
        peers=(),
        targets=(),
        measure=partial(pauses.measure, what="loop_ms"),
    ),
    _beside_1000("reads_at_100k", "profile reads", size.reads, long=False),
    _beside_1000("lists_at_100k", "filtered lists", size.lists, long=False),
    _beside_1000("writes_at_100k", "durable writes", size.writes, long=False),
    _beside_1000("reads_at_1m", "profile reads", size.reads, long=True),
    _beside_1000("lists_at_1m", "filtered lists", size.lists, long=True),
    _beside_1000("writes_at_1m", "durable writes", size.writes, long=True),
    _writes_apart(),
    Benchmark(
        name="idle_connections",
        summary="memory of 10,000 idle TCP connections; the latencies are of 50 active ones meanwhile",
        unit="MB",
        peers=(),
        targets=(_at_most("value", 300), _at_most("p99_ms", 20)),
        measure=idle.measure,
    ),
    _page("queue", "the first page of the queue by five filters", pages.queue),
    _page("next", "pages deep in the queue", pages.next_page),
    _page("search", "a customer found by number, a type of document found with nobody", pages.search),
    _page("case", "the page of a case, each look audited on disk", pages.case),
)
