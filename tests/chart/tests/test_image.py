"""The image: the same bytes twice, what is inside, and each of its programs as pods run them."""

import json
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

import yaml

from harness import helm, image, net

NAMES = ["/cluster-proxy", "/manager", "/agent", "/proxy-server", "/proxy-agent"]
# What each calls itself in its help, where that is not its name.
USAGE = {"/cluster-proxy": "cluster-proxy COMMAND"}
# Of the reference's image, with all its executables (issue 6).
REFERENCE_IMAGE = 296e6
LAUNCHES = 10


class Image(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="cluster-proxy-image-test-")))
        cls.folder.chmod(0o755)
        cls.said = image.build(cls.folder / "first")
        cls.image = image.Image.read(cls.folder / "first/cluster-proxy.oci.tar")
        cls.root = cls.folder / "root"
        cls.root.mkdir(mode=0o755)
        cls.image.unpack(cls.root)
        cls.sandbox = image.Sandbox(cls.root)
        cls.sandbox.prepare()

    def test_two_builds_are_equal(self):
        image.build(self.folder / "second")
        for name in ("cluster-proxy.oci.tar", "cluster-proxy.spdx.json"):
            first, second = (self.folder / each / name for each in ("first", "second"))
            self.assertEqual(first.read_bytes(), second.read_bytes(), name)

    # Debug information apart, which is not in the image.
    def test_the_program_does_not_know_where_it_was_built(self):
        inside = str(helm.ROOT).encode() in (self.root / "cluster-proxy").read_bytes()
        self.assertFalse(inside, f"built without CCACHE_BASEDIR={helm.ROOT}, as scripts/build sets it: remove build/release and build anew")

    def test_archive_is_an_oci_layout(self):
        self.assertEqual(self.image.config["rootfs"]["diff_ids"], self.image.digests())
        self.assertEqual(self.image.config["config"]["User"], image.USER)
        names = self.image.index["manifests"][0]["annotations"]
        chart = yaml.safe_load((helm.CHART / "Chart.yaml").read_text())
        self.assertEqual(names["io.containerd.image.name"], f"localhost/cluster-proxy:v{chart['version']}", "the chart's default")

    def test_everything_inside_has_an_owner_and_a_licence(self):
        document = json.loads((self.root / "usr/share/sbom/cluster-proxy.spdx.json").read_text())
        packages = {each["name"] for each in document["packages"]}
        for name in packages - {"cluster-proxy"}:
            self.assertTrue((self.root / "usr/share/doc" / name / "copyright").is_file(), name)
        for each in document["packages"]:
            self.assertNotIn("NOASSERTION", each["licenseDeclared"])
        for file in self.root.rglob("*"):
            if file.is_file() and not file.is_symlink() and file.read_bytes()[:4] == b"\x7fELF" and file.name != "cluster-proxy":
                self.assertIn(self.owner(file), packages, file)
        self.assertEqual(document["spdxVersion"], "SPDX-2.3")

    def owner(self, file):
        inside = "/" + str(file.relative_to(self.root))
        for candidate in (inside, inside.removeprefix("/usr")):
            answer = subprocess.run(["dpkg-query", "-S", candidate], capture_output=True, text=True)
            if answer.returncode == 0:
                return answer.stdout.split(":")[0]
        return None

    def test_a_fifth_of_the_reference(self):
        unpacked = sum(len(layer) for layer in self.image.layers)
        self.assertLess(unpacked, REFERENCE_IMAGE / 5, self.said)

    def test_every_name_runs(self):
        for name in NAMES:
            with self.subTest(name):
                answer = self.sandbox.run(name, "--help")
                self.assertEqual(answer.returncode, 0, answer.stderr)
                self.assertIn(f"Usage:\n  {USAGE.get(name, name[1:])} [", answer.stdout)

    def test_runs_as_nobody_in_particular_on_a_read_only_root(self):
        answer = self.sandbox.run("/bin/sh", "-c", "id -u; grep CapEff /proc/self/status; touch /here /tmp/here")
        self.assertRegex(answer.stdout, r"^65532\nCapEff:\s+0000000000000000\n$")
        self.assertEqual(answer.stderr.count("Read-only file system"), 2)

    # The reference's end-to-end test does this in the manager's container; `kubectl cp` needs tar.
    def test_a_shell_and_tar_are_there(self):
        self.assertEqual(self.sandbox.run("/bin/sh", "-c", "echo hello").stdout, "hello\n")
        self.assertEqual(self.sandbox.run("tar", "cf", "-", "/LICENSE-is-elsewhere").returncode, 1)
        self.assertIn("cluster-proxy", self.sandbox.run("sh", "-c", "tar cf - /agent | tar tvf -").stdout)

    def test_without_shell(self):
        image.build(self.folder / "bare", "--without-shell")
        root = self.folder / "bare-root"
        image.Image.read(self.folder / "bare/cluster-proxy.oci.tar").unpack(root)
        self.assertFalse((root / "usr/bin/busybox").exists())
        bare = image.Sandbox(root)
        bare.prepare()
        self.assertIn("cluster-proxy", bare.run("/cluster-proxy", "version").stdout)

    # A Containerfile copies it.
    def test_files_for_an_engine_are_those_of_the_archive(self):
        folder = self.folder / "files"
        image.build(folder, "--rootfs", str(folder))
        fresh = self.folder / "fresh"
        self.image.unpack(fresh)
        self.assertEqual(listing(folder), listing(fresh))

    # Names come from the hosts file for the one, and from a name server for the other; TLS on both links.
    def test_a_tunnel_between_two_containers(self):
        net.certificates(self.folder / "pki", ["hub.files.test", "hub.dns.test", "localhost"])
        (self.root / "pki").mkdir()
        pair = ["/pki/pair.crt", "/pki/pair.key"]
        front, agents, *others = net.free_ports(7)
        for name in ("hub.files.test", "hub.dns.test"):
            sandbox = image.Sandbox(self.root, hosts="127.0.0.1 localhost hub.files.test\n127.0.0.1 web.cluster1.test\n",
                                    resolver="nameserver 127.0.0.1\n", mounts={"pki": self.folder / "pki"})
            server = sandbox.started(
                "/proxy-server", "--mode=http-connect", "--proxy-strategies=destHost", f"--server-port={front}",
                f"--agent-port={agents}", f"--health-port={others[0]}", f"--admin-port={others[1]}", f"--server-cert={pair[0]}",
                f"--server-key={pair[1]}", "--server-ca-cert=/pki/ca.crt", f"--cluster-cert={pair[0]}",
                f"--cluster-key={pair[1]}", "--cluster-ca-cert=/pki/ca.crt")
            agent = sandbox.started(
                "/proxy-agent", f"--proxy-server-host={name}", f"--proxy-server-port={agents}", "--ca-cert=/pki/ca.crt",
                f"--agent-cert={pair[0]}", f"--agent-key={pair[1]}", "--agent-identifiers=host=web.cluster1.test",
                f"--health-server-port={others[2]}", f"--admin-server-port={others[3]}")
            with self.subTest(name), net.dns({"hub.dns.test": "127.0.0.1"}), net.web(b"from the other side") as port, server, agent as (process, log):
                net.wait_for_port(others[2], process, log)
                self.assertEqual(self.through(front, f"http://web.cluster1.test:{port}/", log), "from the other side")

    def through(self, front, url, log):
        pki = self.folder / "pki"
        answer = subprocess.run(
            ["curl", "-sS", "--fail", "--max-time", "30", "--retry", "30", "--retry-delay", "1", "--retry-all-errors", "--proxytunnel",
             "--proxy", f"https://localhost:{front}", "--proxy-cacert", pki / "ca.crt", "--proxy-cert", pki / "pair.crt",
             "--proxy-key", pki / "pair.key", url], capture_output=True, text=True)
        self.assertEqual(answer.returncode, 0, answer.stderr + log.read_text())
        return answer.stdout

    def test_helm_test_in_a_sandbox(self):
        pod = helm.find(helm.render({}), "Pod", "cluster-proxy-test")
        script = pod["spec"]["containers"][0]["args"][0]
        for each in ("ca", "client"):
            (self.root / each).mkdir(exist_ok=True)
        names = f"cluster-proxy-addon-manager.{helm.NAMESPACE}.svc proxy-entrypoint.{helm.NAMESPACE}.svc"
        sandbox = image.Sandbox(self.root, hosts=f"127.0.0.1 localhost {names}\n", environment={"POD_NAMESPACE": helm.NAMESPACE})
        with net.web(b"not yet", 58081):
            self.assert_fails(sandbox, script, "the manager is not ready")
        with net.web(b"ok", 58081):
            self.assert_fails(sandbox, script, "proxy-server-ca is missing")
            for file in ("ca/ca.crt", "client/tls.crt", "client/tls.key"):
                (self.root / file).write_text("there")
            self.assert_fails(sandbox, script, f"no proxy server answers on proxy-entrypoint.{helm.NAMESPACE}.svc:8090")
            with net.web(b"", 8090), net.web(b"", 8091):
                answer = sandbox.run("/bin/sh", "-c", script)
                self.assertEqual(answer.returncode, 0, answer.stdout + answer.stderr)
                self.assertEqual(answer.stdout.count("ok "), 5)

    def assert_fails(self, sandbox, script, what):
        answer = sandbox.run("/bin/sh", "-c", script)
        self.assertEqual(answer.returncode, 1, answer.stdout)
        self.assertIn(what, answer.stdout)
        self.assertIn("kubectl", answer.stdout, "what to do next")

    # Printed, not judged: it depends on the machine.
    def test_size_and_start(self):
        ours = self.sandbox_launch()
        rows = [("image, to pull", self.image.size), ("image, unpacked", sum(len(layer) for layer in self.image.layers)),
                ("/cluster-proxy", (self.root / "cluster-proxy").stat().st_size)]
        rows += [(name, (helm.PEERS / name).stat().st_size) for name in ("go-proxy-server", "go-proxy-agent")]
        print("\n" + "\n".join(f"  {name:18} {size / 1e6:6.1f} MB" for name, size in rows))
        print(f"  start of ours      {ours * 1e3:6.1f} ms (--help, median of {LAUNCHES}, in the sandbox)")
        for name in ("go-proxy-server", "go-proxy-agent"):
            print(f"  start of {name} {self.launch([helm.PEERS / name, '--help']) * 1e3:6.1f} ms")

    def sandbox_launch(self):
        """Less what making the sandbox takes."""
        return self.launch(self.sandbox.command("/proxy-server", "--help")) - self.launch(self.sandbox.command("/bin/true"))

    def launch(self, command):
        times = []
        for _ in range(LAUNCHES):
            start = time.monotonic()
            subprocess.run(command, capture_output=True, check=True, env=image.CONTAINER | {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
            times.append(time.monotonic() - start)
        return sorted(times)[LAUNCHES // 2]


def listing(root):
    """Path, kind, mode and content of everything below."""
    found = {}
    for path in root.rglob("*"):
        about = path.lstat()
        content = path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else None
        found[str(path.relative_to(root))] = (oct(about.st_mode), content)
    return found
