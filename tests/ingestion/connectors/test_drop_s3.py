"""Files that appear in a bucket, on a server that speaks S3."""

from collections.abc import Callable, Iterator

import boto3
import pytest
from botocore.client import BaseClient
from moto.server import ThreadedMotoServer
from pytest_django import fixtures

from ingestion.connectors.offer import PullError
from ingestion.deliveries import normalize_delivery, plan_normalization
from ingestion.models import Source
from ingestion.pull import pull
from tests.conftest import DEFINITION

BUCKET = "incoming"
BODY = "id,day,party,country,amount,currency\nA,2026-11-20,Acme,DE,10.00,EUR\n"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The server's address."""
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch, settings: fixtures.Settings) -> BaseClient:
    """An empty bucket, and the credentials under their names."""
    monkeypatch.setenv("TIEOUT_S3_KEY", "key")
    monkeypatch.setenv("TIEOUT_S3_SECRET", "s3cret")
    settings.OUTBOUND_HOSTS = ["127.0.0.1"]
    client = boto3.client(
        "s3", endpoint_url=server, region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key="s3cret"
    )
    client.create_bucket(Bucket=BUCKET)
    return client


def _source(define: Callable[[str], object], server: str, glob: str) -> Source:
    drop = (
        f"  left:\n    kind: drop\n    connection:\n      url: 's3://{BUCKET}/{glob}'\n      endpoint: '{server}'\n"
        "      key: {env: TIEOUT_S3_KEY}\n      secret: {env: TIEOUT_S3_SECRET}\n"
    )
    define(DEFINITION.replace("  left:\n", drop))
    return Source.objects.get(code="left")


def test_an_object_is_taken_when_its_etag_is_the_same_twice(
    define: Callable[[str], object], server: str, bucket: BaseClient
) -> None:
    source = _source(define, server, "in/*.csv")
    bucket.put_object(Bucket=BUCKET, Key="in/a.csv", Body=BODY)
    assert pull(source).waiting == [f"{BUCKET}/in/a.csv"]
    bucket.put_object(Bucket=BUCKET, Key="in/a.csv", Body=BODY.replace("10.00", "11.00"))  # the same size
    assert pull(source).waiting == [f"{BUCKET}/in/a.csv"]
    delivery = pull(source).taken[f"{BUCKET}/in/a.csv"]
    assert normalize_delivery(plan_normalization(delivery)).normalized == 1
    bucket.put_object(Bucket=BUCKET, Key="in/again.csv", Body=BODY.replace("10.00", "11.00"))
    pull(source)
    assert len(pull(source).known) == 2
    assert source.deliveries.count() == 1


def test_a_partition_of_lines_is_one_delivery(define: Callable[[str], object], server: str, bucket: BaseClient) -> None:
    source = _source(define, server, "lake/**/*.json")
    line = '{{"id": "{}", "day": "2026-11-20", "party": "Acme", "country": "DE", "amount": "10.00", "currency": "EUR"}}'
    for part, key in enumerate("AB"):
        bucket.put_object(Bucket=BUCKET, Key=f"lake/dt=2026-11-20/{part}.json", Body=line.format(key))
    pull(source)
    delivery = pull(source).taken[f"{BUCKET}/lake/dt=2026-11-20"]
    assert str(delivery.business_date) == "2026-11-20"
    assert normalize_delivery(plan_normalization(delivery)).normalized == 2


def test_only_named_hosts_are_called(
    define: Callable[[str], object], server: str, bucket: BaseClient, settings: fixtures.Settings
) -> None:
    settings.OUTBOUND_HOSTS = []
    source = _source(define, server, "in/*.csv")
    with pytest.raises(PullError, match="The host 127.0.0.1 is not one that sources may call"):
        pull(source)


def test_a_missing_bucket_is_said_without_the_secret(
    define: Callable[[str], object], server: str, bucket: BaseClient
) -> None:
    source = _source(define, server, "in/*.csv")
    source.connection["url"] = "s3://nowhere/in/*.csv"
    source.save()
    with pytest.raises(PullError, match="There is no nowhere") as said:
        pull(source)
    assert "s3cret" not in str(said.value)
