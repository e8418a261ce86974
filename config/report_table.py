"""The report of a run as a table for a terminal."""

from collections.abc import Mapping


def report_table(report: Mapping[str, dict]) -> str:
    """Lines of at most 100 characters."""
    sides = report["sides"]
    lines = [f"Run {report['run']}, {report['reconciliation']}, {report['date']}: {report['status']}", ""]
    lines.append(f"{'':16}{'A':>12}{'B':>12}")
    for name in sides["a"]:
        lines.append(f"{name.replace('_', ' '):16}{sides['a'][name]:>12,}{sides['b'][name]:>12,}")
    for name in ("offered", "closed"):
        lines.append(f"{'carried ' + name:16}{report['carried']['a'][name]:>12,}{report['carried']['b'][name]:>12,}")
    lines += ["", *_pairs("records", report["records"]), "", *_pairs("outcome", report["outcome"])]
    differences = report["differences"]
    lines += ["", f"differences     {differences['total']:>12,}"]
    lines += _pairs("  by field", differences["by_field"]) + _pairs("  by reason", differences["by_reason"])
    spent = "  ".join(f"{name} {value:.2f}" for name, value in report["seconds"].items())
    return "\n".join([*lines, "", f"seconds: {spent}", ""])


def _pairs(title: str, counts: Mapping[str, int]) -> list[str]:
    return [title] + [
        f"  {name.replace('_', ' ') if name.islower() else name:24}{count:>10,}" for name, count in counts.items()
    ]
