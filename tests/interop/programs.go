package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// serverSpec says how a proxy-server is to be started; the zero value is grpc over TLS on IPv4 loopback.
type serverSpec struct {
	http  bool
	unix  bool
	host  string // "127.0.0.1" if empty
	flags []string
	pki   *pki // world.pki if nil
	on    *server
}

// server is a running proxy-server and where it listens.
type server struct {
	*process
	program  peer
	spec     serverSpec
	frontend string // host:port, or the path of the socket
	agents   string
	health   string
	admin    string
}

func (s *server) network() string {
	if s.spec.unix {
		return "unix"
	}
	return "tcp"
}

// startServer runs a server and waits until all its listeners answer.
func startServer(t testing.TB, program peer, spec serverSpec) *server {
	t.Helper()
	s := &server{program: program, spec: spec}
	s.place(t)
	s.process = launch(t, "proxy-server", program.path, nil, s.arguments())
	eventually(t, "server health", patience, wantPage(s.health, "/healthz", 200, "ok"))
	eventually(t, "server agent port", patience, wantListening("tcp", s.agents))
	eventually(t, "server frontend", patience, wantListening(s.network(), s.frontend))
	return s
}

// place chooses addresses; a spec that names an earlier server takes over its places.
func (s *server) place(t testing.TB) {
	t.Helper()
	if s.spec.pki == nil {
		s.spec.pki = world.pki
	}
	if s.spec.host == "" {
		s.spec.host = "127.0.0.1"
	}
	if old := s.spec.on; old != nil {
		s.frontend, s.agents, s.health, s.admin = old.frontend, old.agents, old.health, old.admin
		return
	}
	local := func() string { return hostPort(s.spec.host, freePort(t)) }
	s.agents, s.health, s.admin, s.frontend = local(), local(), local(), local()
	if s.spec.unix {
		s.frontend = filepath.Join(shortTempDir(t), "front.sock")
	}
}

func (s *server) arguments() []string {
	cluster, front := s.spec.pki.cluster, s.spec.pki.frontend
	args := []string{
		"--mode=grpc", "-v=0", "--server-id=server-under-test",
		"--cluster-cert=" + cluster.files("server").cert, "--cluster-key=" + cluster.files("server").key,
		"--cluster-ca-cert=" + cluster.caFile(),
		"--agent-bind-address=" + s.spec.host, "--agent-port=" + portOf(s.agents),
		"--health-bind-address=" + s.spec.host, "--health-port=" + portOf(s.health),
		"--admin-bind-address=" + s.spec.host, "--admin-port=" + portOf(s.admin),
	}
	if s.spec.http {
		args = append(args, "--mode=http-connect")
	}
	if s.spec.unix {
		args = append(args, "--uds-name="+s.frontend, "--server-port=0")
	} else {
		args = append(args, "--server-bind-address="+s.spec.host, "--server-port="+portOf(s.frontend),
			"--server-cert="+front.files("server").cert, "--server-key="+front.files("server").key,
			"--server-ca-cert="+front.caFile())
	}
	return append(args, s.spec.flags...)
}

// agentSpec says how a proxy-agent is to be started.
type agentSpec struct {
	id          string // "agent" if empty
	identifiers string
	address     string // of the server's agent port; taken from the server if empty
	flags       []string
	env         []string
	pki         *pki
	noWait      bool // do not wait until it is connected
}

// agent is a running proxy-agent and where it listens.
type agent struct {
	*process
	program peer
	health  string
	admin   string
}

// startAgent runs an agent and waits until it and, if it is one of ours to ask, the server are ready.
func startAgent(t testing.TB, program peer, s *server, spec agentSpec) *agent {
	t.Helper()
	if spec.address == "" {
		spec.address = s.agents
	}
	a := &agent{program: program, health: hostPort("127.0.0.1", freePort(t)), admin: hostPort("127.0.0.1", freePort(t))}
	a.process = launch(t, "proxy-agent", program.path, spec.env, a.arguments(spec))
	if spec.noWait {
		eventually(t, "agent health", patience, wantPage(a.health, "/healthz", 200, "ok"))
		return a
	}
	eventually(t, "agent readiness", patience, wantPage(a.health, "/readyz", 200, "ok"))
	if s != nil {
		eventually(t, "server readiness", patience, wantPage(s.health, "/readyz", 200, "ok"))
	}
	return a
}

func (a *agent) arguments(spec agentSpec) []string {
	keys := spec.pki
	if keys == nil {
		keys = world.pki
	}
	if spec.id == "" {
		spec.id = "agent"
	}
	args := []string{
		"-v=0", "--agent-id=" + spec.id, "--agent-identifiers=" + spec.identifiers,
		"--ca-cert=" + keys.cluster.caFile(),
		"--agent-cert=" + keys.cluster.files("client").cert, "--agent-key=" + keys.cluster.files("client").key,
		"--proxy-server-host=" + hostOf(spec.address), "--proxy-server-port=" + portOf(spec.address),
		"--health-server-host=127.0.0.1", "--health-server-port=" + portOf(a.health),
		"--admin-server-port=" + portOf(a.admin),
		"--sync-interval=100ms", "--sync-interval-cap=1s", "--probe-interval=100ms",
	}
	return append(args, spec.flags...)
}

// shortTempDir: a Unix socket path is limited to 107 bytes, which t.TempDir easily exceeds.
func shortTempDir(t testing.TB) string {
	t.Helper()
	directory, err := os.MkdirTemp("", "ip-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(directory) })
	return directory
}

func hostPort(host string, port int) string {
	if host == "::1" {
		host = "[::1]"
	}
	return fmt.Sprintf("%s:%d", host, port)
}

func portOf(address string) string {
	_, port := splitAddress(address)
	return strconv.Itoa(port)
}

func hostOf(address string) string {
	host, _ := splitAddress(address)
	return host
}
