package interop

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
)

func TestServerExplainsBadSockets(t *testing.T) {
	serverRefuses(t, map[string]badCase{
		"foreign address": {[]string{"--agent-bind-address=192.0.2.1"}, []string{"192.0.2.1", "cannot assign", "no interface of this machine"}},
		"no address":      {[]string{"--agent-bind-address=nonsense"}, []string{`"nonsense" is not an IP address`}},
	})
	eachOurs(t, world.servers, func(t *testing.T, program peer) {
		directory := shortTempDir(t)
		for path, says := range map[string]string{
			filepath.Join(directory, "none", "x.sock"): "directory is missing",
			directory: "directory",
			filepath.Join(directory, strings.Repeat("x", 120)+".so"): "longer than 107 bytes; choose a shorter one",
		} {
			s := &server{program: program, spec: serverSpec{unix: true}}
			s.place(t)
			refuses(t, "proxy-server", program, append(s.arguments(), "--uds-name="+path), path, says)
		}
	})
}

func TestServerSurvivesAHealthPortInUse(t *testing.T) {
	eachOurs(t, world.servers, func(t *testing.T, program peer) {
		s := &server{program: program}
		s.place(t)
		occupied, err := net.Listen("tcp", s.health)
		if err != nil {
			t.Fatal(err)
		}
		defer occupied.Close()
		s.process = launch(t, "proxy-server", program.path, nil, s.arguments())
		eventually(t, "agent port", patience, wantListening("tcp", s.agents))
		eventually(t, "the log line", patience, wantLogged(s.process, s.health, "address already in use", "choose another port"))
	})
}

func TestServerRefusesPortsInUse(t *testing.T) {
	eachOurs(t, world.servers, func(t *testing.T, program peer) {
		for _, mode := range []string{"grpc", "http-connect"} {
			s := &server{program: program}
			s.place(t)
			for _, address := range []string{s.agents, s.frontend} {
				occupied, err := net.Listen("tcp", address)
				if err != nil {
					t.Fatal(err)
				}
				refuses(t, "proxy-server", program, append(s.arguments(), "--mode="+mode), address, "address already in use", "choose another port")
				occupied.Close()
			}
		}
	})
}

func TestAgentSurvivesItsHealthPortInUse(t *testing.T) {
	eachOurs(t, world.agents, func(t *testing.T, program peer) {
		s := startServer(t, world.servers[0], serverSpec{http: true, unix: true})
		occupied := mustListen(t, hostPort("127.0.0.1", freePort(t)))
		defer occupied.Close()
		a := &agent{program: program, health: occupied.Addr().String(), admin: hostPort("127.0.0.1", freePort(t))}
		a.process = launch(t, "proxy-agent", program.path, nil, a.arguments(agentSpec{address: s.agents}))
		eventually(t, "the log line", patience, wantLogged(a.process, a.health, "address already in use", "choose another port"))
		eventually(t, "server readiness", patience, wantPage(s.health, "/readyz", 200, "ok"))
	})
}

func TestServerTellsPortChecksOnce(t *testing.T) {
	eachOurs(t, world.servers, func(t *testing.T, program peer) {
		s := startServer(t, program, serverSpec{flags: []string{"-v=5"}}) // its start checks ports itself
		for range 5 {
			conn, err := net.Dial("tcp", s.agents)
			if err != nil {
				t.Fatal(err)
			}
			conn.Close()
		}
		eventually(t, "the debug lines", patience, func() error {
			if seen := strings.Count(s.output(), "before it said anything"); seen < 6 {
				return fmt.Errorf("%d port checks seen", seen)
			}
			return nil
		})
		if told := strings.Count(s.output(), " I peer hung up in the TLS handshake"); told != 1 {
			t.Errorf("told %d times:\n%s", told, s.output())
		}
		wantWords(t, s.output(), "port checks of load balancers")
	})
}
