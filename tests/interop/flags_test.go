package interop

import (
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// klogFlags is every logging flag of the reference, with values as manifests pass them.
func klogFlags(t testing.TB) []string {
	return []string{"--v=0", "-v=0", "--vmodule=x=1", "--logtostderr=true", "--alsologtostderr=false", "--alsologtostderrthreshold=ERROR",
		"--stderrthreshold=INFO", "--legacy-stderr-threshold-behavior=true", "--log-dir=" + t.TempDir(), "--log-file=",
		"--log-file-max-size=0", "--add-dir-header=false", "--skip-headers=true", "--skip-log-headers=true", "--one-output=false",
		"--log-backtrace-at="}
}

func TestProgramsAcceptEveryLoggingFlag(t *testing.T) {
	eachPairing(t, func(t *testing.T, pair pairing) {
		s := startServer(t, pair.server, serverSpec{unix: true, flags: append(klogFlags(t), "--warn-on-channel-limit=true")})
		startAgent(t, pair.agent, s, agentSpec{flags: append(klogFlags(t), "--warn-on-channel-limit", "--alpn-proto=[]", "--xfr-channel-size=7")})
		mustPing(t, mustDial(t, dialerFor(t, s), listen(t, "127.0.0.1", echo).address), "x")
	})
}

// Exit codes and a message that names what was wrong.
func TestProgramsRefuseBadFlags(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--no-such-flag"}, 1, "no-such-flag"},
		{[]string{"--keepalive-time=soon"}, 1, "keepalive-time"},
		{[]string{"--help"}, 0, "--keepalive-time"},
		{[]string{"-h"}, 0, "--xfr-channel-size"},
	} {
		for kind, peers := range map[string][]peer{"proxy-server": world.servers, "proxy-agent": world.agents} {
			for _, program := range peers {
				t.Run(strings.Join(c.args, " ")+"/"+kind+"="+program.name, func(t *testing.T) {
					t.Parallel()
					wantExit(t, kind, program, c.args, c.code, c.says)
				})
			}
		}
	}
}

func wantExit(t testing.TB, kind string, program peer, args []string, code int, says string) {
	t.Helper()
	p := launch(t, kind, program.path, nil, args)
	p.mayDie()
	if got := p.exitCode(t, patience); got != code {
		t.Errorf("exit code is %d, want %d", got, code)
	}
	if !strings.Contains(p.output(), says) {
		t.Errorf("output %q does not name %q", tail(p.output(), 500), says)
	}
}

func TestServerRefusesContradictions(t *testing.T) {
	for name, c := range map[string]struct {
		flags []string
		says  string
	}{
		"unknown mode":      {[]string{"--mode=carrier-pigeon"}, "mode"},
		"unknown strategy":  {[]string{"--proxy-strategies=desthost"}, "desthost"},
		"port out of range": {[]string{"--agent-port=80"}, "port"},
		"half a pair":       {[]string{"--cluster-key="}, "cluster"},
		"missing file":      {[]string{"--cluster-cert=/nonexistent/tls.crt"}, "/nonexistent/tls.crt"},
		"socket and port":   {[]string{"--uds-name=/tmp/x.sock", "--server-port=20000"}, "ort"},
		"unknown cipher":    {[]string{"--cipher-suites=ROT13"}, "ROT13"},
		"negative timeout":  {[]string{"--backend-dial-timeout=-1s"}, "timeout"},
		"queue of zero":     {[]string{"--xfr-channel-size=0"}, "hannel"},
		"contention alone":  {[]string{"--enable-contention-profiling"}, "profiling"},
		"half a token trio": {[]string{"--agent-namespace=kube-system"}, "gent"},
	} {
		t.Run(name, func(t *testing.T) {
			eachServer(t, func(t *testing.T, program peer) {
				s := &server{program: program}
				s.place(t)
				wantExit(t, "proxy-server", program, append(s.arguments(), c.flags...), 1, c.says)
			})
		})
	}
}

func TestServerNamesAPortInUse(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := &server{program: program}
		s.place(t)
		occupied, err := net.Listen("tcp", s.agents)
		if err != nil {
			t.Fatal(err)
		}
		defer occupied.Close()
		wantExit(t, "proxy-server", program, s.arguments(), 1, "address already in use")
	})
}

// By default whatever lies at the socket's path makes way.
func TestServerReplacesSocketFile(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		old := startServer(t, program, serverSpec{unix: true})
		old.kill()
		os.Remove(old.frontend)
		if err := os.WriteFile(old.frontend, []byte("in the way"), 0o600); err != nil {
			t.Fatal(err)
		}
		again := startServer(t, program, serverSpec{unix: true, on: old})
		rawClient(t, again).say(t, closeReq(1))
	})
}

// The names given come first, then h2, once; a server that picks a custom name is served.
func TestAgentOffersALPN(t *testing.T) {
	for name, c := range map[string]struct{ flag, first string }{
		"default": {"--alpn-proto=", "h2"}, "literal brackets": {"--alpn-proto=[]", ""}, "custom": {"--alpn-proto=konnectivity,other", "konnectivity"},
		"h2 first": {"--alpn-proto=h2,late", "h2"},
	} {
		t.Run(name, func(t *testing.T) {
			eachAgent(t, func(t *testing.T, program peer) {
				offers := make(chan []string, 100)
				config := world.pki.cluster.serverTLS(t)
				config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
					offers <- hello.SupportedProtos
					return nil, nil
				}
				port := listen(t, "127.0.0.1", func(conn net.Conn) { tls.Server(conn, config).Handshake() })
				startAgent(t, program, nil, agentSpec{address: port.address, noWait: true, flags: []string{c.flag}})
				offer := <-offers
				ours := slices.DeleteFunc(slices.Clone(offer), func(name string) bool { return strings.HasPrefix(name, "cluster-proxy/") })
				if c.first != "" && ours[0] != c.first {
					t.Errorf("offers %q, want %q first", offer, c.first)
				}
				if count := strings.Count(","+strings.Join(offer, ",")+",", ",h2,"); count != 1 {
					t.Errorf("offers %q, want h2 exactly once", offer)
				}
			})
		})
	}
}

// An agent that does not trust the server, or that the server does not trust, stays out, and nobody is hurt.
func TestStrangersStayOut(t *testing.T) {
	eachPairing(t, func(t *testing.T, pair pairing) {
		s := startServer(t, pair.server, serverSpec{unix: true})
		mixed := privatePKI(t)
		alien := startAgent(t, pair.agent, s, agentSpec{pki: mixed, id: "alien", noWait: true})
		half := &pki{frontend: world.pki.frontend, cluster: &authority{directory: filepath.Join(mixed.cluster.directory, "half"), cert: mixed.cluster.cert, key: mixed.cluster.key}}
		os.MkdirAll(half.cluster.directory, 0o755)
		if err := half.cluster.issue("client", certTemplate("client")); err != nil {
			t.Fatal(err)
		}
		if err := writePEM(half.cluster.caFile(), "CERTIFICATE", world.pki.cluster.cert.Raw); err != nil {
			t.Fatal(err)
		}
		unknown := startAgent(t, pair.agent, s, agentSpec{pki: half, id: "unknown", noWait: true})
		startAgent(t, pair.agent, s, agentSpec{id: "friend"})
		mustPing(t, mustDial(t, dialerFor(t, s), listen(t, "127.0.0.1", echo).address), "x")
		for _, a := range []*agent{alien, unknown} {
			if err := wantPage(a.health, "/readyz", 503, "no servers connected")(); err != nil {
				t.Error(err)
			}
		}
		wantMetric(t, s.health, 1, serverPrefix+"ready_backend_connections")
	})
}
