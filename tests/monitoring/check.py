"""Asks a Prometheus for everything that the dashboard and the alerts name.

    check.py URL FOLDER PAGE      URL: the Prometheus; FOLDER: with dashboard.json and alerts.yaml; PAGE: the operator's

Fails when a series is not there, an expression is wrong, a panel has no description, or an alert no way out, there and on the page.
"""

import json
import pathlib
import re
import sys
import urllib.parse
import urllib.request

import yaml

SERIES = re.compile(r"\b((?:konnectivity_network_proxy|process|controller_runtime)_[a-z_]+|up)\b(?=[{\[) ]|$)")
# The manager's, which does not run without Kubernetes; tests/chart looks for them in the sources.
ELSEWHERE = "controller_runtime_"


def ask(url, expression):
    query = urllib.parse.urlencode({"query": expression})
    try:
        with urllib.request.urlopen(f"{url}/api/v1/query?{query}", timeout=10) as answer:
            return json.load(answer)["data"]["result"], ""
    except urllib.error.HTTPError as error:
        return [], json.load(error).get("error", str(error))
    except OSError as error:
        return [], str(error)


def expressions(folder):
    """Where each stands, and what it is."""
    for panel in json.loads((folder / "dashboard.json").read_text())["panels"]:
        if panel["type"] != "row":
            yield from ((f'panel "{panel["title"]}"', target["expr"]) for target in panel["targets"])
    for group in yaml.safe_load((folder / "alerts.yaml").read_text())["groups"]:
        yield from ((f'alert {rule["alert"]}', rule["expr"]) for rule in group["rules"])


def complaints(url, folder, page):
    for panel in json.loads((folder / "dashboard.json").read_text())["panels"]:
        if panel["type"] != "row" and len(panel.get("description", "")) < 40:
            yield f'panel "{panel["title"]}" does not say what it shows'
    for group in yaml.safe_load((folder / "alerts.yaml").read_text())["groups"]:
        for rule in group["rules"]:
            if not {"summary", "action"} <= rule["annotations"].keys():
                yield f'alert {rule["alert"]} does not say what to do'
            if f'`{rule["alert"]}` |' not in page.read_text():
                yield f'alert {rule["alert"]} is not on {page}'
    for where, expression in expressions(folder):
        _, error = ask(url, expression.replace("$__rate_interval", "1m"))
        if error:
            yield f"{where}: {error}"
        names = {name for name in SERIES.findall(expression) if not name.startswith(ELSEWHERE)}
        if not names and ELSEWHERE not in expression:
            yield f"{where}: names no series"
        for name in sorted(names):
            if not ask(url, name)[0]:
                yield f"{where}: no series {name}"


def main():
    url, folder, page = sys.argv[1], *map(pathlib.Path, sys.argv[2:])
    found = sorted(set(complaints(url, folder, page)))
    print("\n".join(found) or f"monitoring: {len(list(expressions(folder)))} expressions have what they ask for")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
