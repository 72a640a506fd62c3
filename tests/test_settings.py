"""Settings: where they come from, what is refused, and that secrets stay out of sight."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import make_url

from flowloom import errors, settings
from flowloom.settings import Settings
from flowloom.store import schema


def refusal(environ: dict[str, str], **overrides: object) -> errors.Invalid:
    with pytest.raises(errors.Invalid) as caught:
        Settings.load(environ, **overrides)
    return caught.value


def test_everything_has_a_default() -> None:
    loaded = Settings.load({})
    assert loaded == Settings()
    assert (loaded.host, loaded.port, loaded.data_dir) == ("127.0.0.1", 8080, Path("data"))
    assert loaded.database_url == "sqlite+pysqlite:///data/flowloom.db"
    assert (loaded.log_retention_days, loaded.payload_retention_days) == (30, 7)
    assert (loaded.rate_limit, loaded.outbound_allow, loaded.nats_url) == (0, (), None)


def test_the_default_database_lies_in_the_data_directory() -> None:
    loaded = Settings.load({"FLOWLOOM_DATA_DIR": "/srv/loom"})
    assert loaded.database_url == "sqlite+pysqlite:////srv/loom/flowloom.db"


def test_the_data_directory_may_have_any_name(tmp_path: Path) -> None:
    directory = tmp_path / "50%20 off? #1"
    url = Settings.load({"FLOWLOOM_DATA_DIR": str(directory)}).database_url
    assert make_url(url).database == str(directory / "flowloom.db")
    directory.mkdir()
    schema.upgrade(url)
    assert (directory / "flowloom.db").exists()


def test_environment_beats_default_and_override_beats_environment() -> None:
    environ = {"FLOWLOOM_PORT": "9000", "FLOWLOOM_HOST": "0.0.0.0"}
    assert Settings.load(environ).port == 9000
    loaded = Settings.load(environ, port=9001, host=None)
    assert (loaded.port, loaded.host) == (9001, "0.0.0.0")


def test_an_empty_variable_is_unset() -> None:
    assert (
        Settings.load({"FLOWLOOM_PORT": "", "FLOWLOOM_NATS_URL": "", "FLOWLOOM_SECRET_KEY_FILE": ""})
        == Settings()
    )


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("postgres://u:p@db/loom", "postgresql+psycopg://u:p@db/loom"),
        ("postgresql://db/loom?sslmode=require", "postgresql+psycopg://db/loom?sslmode=require"),
        ("postgresql+psycopg://db/loom", "postgresql+psycopg://db/loom"),
        ("sqlite:///loom.db", "sqlite+pysqlite:///loom.db"),
        ("sqlite:////srv/loom.db", "sqlite+pysqlite:////srv/loom.db"),
        ("sqlite+pysqlite:///loom.db", "sqlite+pysqlite:///loom.db"),
    ],
)
def test_database_urls_are_normalised(given: str, kept: str) -> None:
    assert Settings.load({"FLOWLOOM_DATABASE_URL": given}).database_url == kept


@pytest.mark.parametrize(
    "given",
    ["mysql://db/loom", "loom.db", "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://loom.db"],
)
def test_other_databases_are_refused(given: str) -> None:
    refused = refusal({"FLOWLOOM_DATABASE_URL": given})
    assert list(refused.errors) == ["FLOWLOOM_DATABASE_URL"]
    assert "sqlite:///path/to/flowloom.db" in refused.message


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("PORT", "http", "valid integer"),
        ("PORT", "70000", "less than or equal to 65535"),
        ("CONCURRENCY", "0", "greater than or equal to 1"),
        ("LOG_FORMAT", "xml", "'auto', 'text' or 'json'"),
        ("SECRET_KEY", "short", "at least 16 characters"),
        ("NATS_URL", "http://host", "nats://host:4222"),
        ("BLOB_URL", "/mnt/share", "file:///path/to/directory"),
        ("BLOB_URL", "file://share", "file:///path/to/directory"),
        ("BLOB_URL", "s3://", "s3://bucket/prefix"),
        ("BLOB_URL", "s3://bucket?zone=1", "s3://bucket/prefix"),
        ("BLOB_URL", "s3://bucket?endpoint=minio:9000", "http:// or https:// address"),
        ("PUBLIC_URL", "example.com", "https://"),
        ("ADMIN_EMAIL", "root", "admin@example.com"),
        ("OUTBOUND_ALLOW", "ok.example,http://shop", "'http://shop' is no host name"),
        ("OUTBOUND_ALLOW", "10.0.0.1:80", "without scheme, port or path"),
    ],
)
def test_a_bad_value_names_its_variable_and_what_is_allowed(name: str, value: str, allowed: str) -> None:
    refused = refusal({f"FLOWLOOM_{name}": value})
    assert list(refused.errors) == [f"FLOWLOOM_{name}"]
    assert refused.message.startswith(f"FLOWLOOM_{name} ")
    assert allowed in refused.message


def test_all_bad_values_are_told_at_once() -> None:
    refused = refusal({"FLOWLOOM_PORT": "x", "FLOWLOOM_RATE_LIMIT": "-1"})
    assert set(refused.errors) == {"FLOWLOOM_PORT", "FLOWLOOM_RATE_LIMIT"}


def test_private_destinations_are_a_comma_list() -> None:
    loaded = Settings.load({"FLOWLOOM_OUTBOUND_ALLOW": " Shop.Internal, 10.1.2.3/8 ,::1,*.corp.example,"})
    assert loaded.outbound_allow == ("shop.internal", "10.0.0.0/8", "::1", "*.corp.example")


def test_the_public_url_loses_its_last_slash() -> None:
    assert (
        Settings.load({"FLOWLOOM_PUBLIC_URL": "https://a.example/loom/"}).public_url
        == "https://a.example/loom"
    )


@pytest.mark.parametrize("name", sorted(settings.SECRETS))
def test_secrets_also_come_from_files(name: str, tmp_path: Path) -> None:
    values = {"database_url": "postgresql+psycopg://u:p@db/loom", "nats_url": "nats://u:p@host"}
    values["smtp_url"] = "smtps://u:p@mail.example:465"
    values["blob_url"] = "s3://key:secret@bucket/prefix"
    value = values.get(name, "correct horse battery ")
    file = tmp_path / "secret"
    file.write_text(value + "\n")
    loaded = Settings.load({f"FLOWLOOM_{name.upper()}_FILE": str(file)})
    assert getattr(loaded, name) == value


def test_only_secrets_come_from_files(tmp_path: Path) -> None:
    assert Settings.load({"FLOWLOOM_PORT_FILE": str(tmp_path)}).port == 8080


def test_a_secret_given_twice_missing_or_empty_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    env = "FLOWLOOM_ADMIN_PASSWORD"
    assert "cannot be read" in refusal({f"{env}_FILE": str(file)}).message
    file.write_text("\n")
    assert "is empty" in refusal({f"{env}_FILE": str(file)}).message
    file.write_text("hunter22")
    assert "keep one of them" in refusal({f"{env}_FILE": str(file), env: "hunter22"}).message


def test_neither_repr_nor_errors_show_a_secret() -> None:
    given = {
        "FLOWLOOM_DATABASE_URL": "postgresql://u:xyzzy@db/loom",
        "FLOWLOOM_NATS_URL": "nats://u:xyzzy@host",
        "FLOWLOOM_BLOB_URL": "s3://key:xyzzy@bucket",
        "FLOWLOOM_ADMIN_PASSWORD": "xyzzy",
        "FLOWLOOM_SECRET_KEY": "xyzzy-xyzzy-xyzzy-xyzzy",
    }
    loaded = Settings.load(given)
    assert "xyzzy" not in f"{loaded!r} {loaded}"
    assert "xyzzy" not in refusal({"FLOWLOOM_SECRET_KEY": "xyzzy"}).message
    assert "xyzzy" not in refusal({"FLOWLOOM_DATABASE_URL": "mysql://u:xyzzy@db"}).message
    assert "xyzzy" not in refusal({"FLOWLOOM_BLOB_URL": "s3://key:xyzzy@bucket?zone=1"}).message


def test_an_unknown_setting_is_refused() -> None:
    assert "FLOWLOOM_BOGUS" in refusal({}, bogus=1).errors


def test_settings_never_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().port = 1


def test_every_setting_is_described() -> None:
    described = settings.describe()
    assert [row["name"] for row in described] == list(Settings.model_fields)
    assert all(row["description"].endswith(".") for row in described)
    port = next(row for row in described if row["name"] == "port")
    assert (port["env"], port["default"]) == ("FLOWLOOM_PORT", "8080")
