package interop

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What "cluster-proxy pki" makes has to be good for everybody: OpenSSL, and the Go programs as well as ours.

// ourProgram is the executable whose commands are under test.
func ourProgram(t testing.TB) string {
	t.Helper()
	for _, program := range world.servers {
		path := filepath.Join(filepath.Dir(program.path), "cluster-proxy")
		if _, err := os.Stat(path); !program.reference() && err == nil {
			return path
		}
	}
	t.Skip("needs our own program, cluster-proxy, beside our proxy-server")
	return ""
}

func command(t testing.TB, name string, arguments ...string) string {
	t.Helper()
	output, err := exec.Command(name, arguments...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(arguments, " "), err, output)
	}
	return string(output)
}

// commandPKI is a folder as people make it: one authority, a server, agents of cluster c1, a client.
func commandPKI(t testing.TB) *pki {
	t.Helper()
	program, directory := ourProgram(t), filepath.Join(t.TempDir(), "pki")
	command(t, program, "pki", "init", "--dir", directory)
	command(t, program, "pki", "issue", "server", "127.0.0.1", "localhost", "--dir", directory)
	command(t, program, "pki", "issue", "agent", "c1", "--dir", directory)
	command(t, program, "pki", "issue", "client", "alice", "--organization", "ops", "--name", "client", "--dir", directory)
	text, err := os.ReadFile(filepath.Join(directory, "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	one := &authority{directory: directory, cert: cert}
	return &pki{frontend: one, cluster: one}
}

// agentFlags make an agent show its own certificate instead of "client".
func agentFlags(keys *pki) []string {
	files := keys.cluster.files("agent-c1")
	return []string{"--agent-cert=" + files.cert, "--agent-key=" + files.key}
}

func TestPKIOfOursServesEverybody(t *testing.T) {
	for _, front := range []serverSpec{{}, {http: true}} {
		t.Run("client="+map[bool]string{false: "grpc", true: "http"}[front.http], func(t *testing.T) {
			eachPairing(t, func(t *testing.T, pair pairing) {
				keys := commandPKI(t)
				front.pki = keys
				s := startServer(t, pair.server, front)
				startAgent(t, pair.agent, s, agentSpec{pki: keys, identifiers: "host=c1", flags: agentFlags(keys)})
				target := listen(t, "127.0.0.1", echo).address
				mustPing(t, mustDial(t, dialerFor(t, s), target), "with our certificates")
			})
		})
	}
}

func TestRenewedCertificatesAreTakenWithoutAPause(t *testing.T) {
	t.Parallel()
	keys := commandPKI(t)
	s := startServer(t, ourServer(t), serverSpec{http: true, pki: keys, flags: []string{"-v=2"}})
	startAgent(t, ours(t).agent, s, agentSpec{pki: keys, identifiers: "host=c1", flags: agentFlags(keys)})
	target := listen(t, "127.0.0.1", echo).address
	conn := mustDial(t, dialerFor(t, s), target)
	command(t, ourProgram(t), "pki", "renew", "--all", "--dir", keys.cluster.directory)
	mustPing(t, conn, "an old connection")
	mustPing(t, mustDial(t, dialerFor(t, s), target), "a new one")
	eventually(t, "reload", patience, says(s.process, "TLS files reloaded"))
}

func TestOpenSSLTrustsWhatPKIMakes(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("needs openssl")
	}
	keys := commandPKI(t)
	for _, round := range []string{"issued", "renewed"} {
		for name, purpose := range map[string]string{"server": "sslserver", "agent-c1": "sslclient", "client": "sslclient"} {
			cert := keys.cluster.files(name).cert
			command(t, "openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile", keys.cluster.caFile(), cert)
			text := command(t, "openssl", "x509", "-in", cert, "-noout", "-text")
			for _, want := range map[string][]string{
				"server":   {"DNS:localhost", "IP Address:127.0.0.1", "TLS Web Server Authentication"},
				"agent-c1": {"URI:urn:open-cluster-management:cluster:c1", "TLS Web Client Authentication"},
				"client":   {"O = ops, CN = alice", "TLS Web Client Authentication"},
			}[name] {
				if !strings.Contains(text, want) {
					t.Errorf("%s, %s: no %q in\n%s", name, round, want, text)
				}
			}
			wrong := map[string]string{"sslserver": "sslclient", "sslclient": "sslserver"}[purpose]
			if exec.Command("openssl", "verify", "-purpose", wrong, "-CAfile", keys.cluster.caFile(), cert).Run() == nil {
				t.Errorf("%s, %s: good as %s too", name, round, wrong)
			}
		}
		command(t, ourProgram(t), "pki", "renew", "--all", "--dir", keys.cluster.directory)
	}
	var shown []struct {
		Name, Role, State string
		DaysLeft          int
		KeyFits           bool
	}
	if err := json.Unmarshal([]byte(command(t, ourProgram(t), "pki", "show", "-o", "json", "--dir", keys.cluster.directory)), &shown); err != nil {
		t.Fatal(err)
	}
	for _, each := range shown {
		if each.State != "valid" || !each.KeyFits || each.DaysLeft < 364 {
			t.Errorf("%+v", each)
		}
	}
	if len(shown) != 4 {
		t.Errorf("%d certificates, want 4", len(shown))
	}
}
