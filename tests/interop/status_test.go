package interop

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// /status on the admin port (docs/status.md), and the commands that show it.

type statusPage struct {
	Version  int
	Clusters []struct {
		Name, State, LastSeenFrom string
		Certified                 bool
		Identifiers               []string
		OpenConnections           int
		BytesToAgents             int
		BytesFromAgents           int
		FailedDials               int
		LastError                 *struct{ Text string }
		Links                     []struct {
			Kind             string
			RoundTripSeconds *float64
			OpenConnections  int
		}
	}
	ConnectionsTotal int
	Connections      []struct{ Client, Target, State string }
}

func (s *server) status(query string) (page statusPage, err error) {
	code, body, header, err := get(s.admin, "/status"+query)
	if err == nil && (code != 200 || header.Get("Content-Type") != "application/json") {
		err = fmt.Errorf("status %d, type %q: %s", code, header.Get("Content-Type"), body)
	}
	if err == nil {
		err = json.Unmarshal([]byte(body), &page)
	}
	return page, err
}

func (s *server) wantStatus(t testing.TB, what, query string, check func(page statusPage) bool) statusPage {
	t.Helper()
	var last statusPage
	eventually(t, what, patience, func() (err error) {
		if last, err = s.status(query); err == nil && !check(last) {
			err = fmt.Errorf("page is %+v", last)
		}
		return err
	})
	return last
}

func TestStatusTellsOfClustersConnectionsAndDepartures(t *testing.T) {
	eachKindOfAgent(t, func(t *testing.T, program peer, flags []string) {
		for _, threads := range []string{"1", "3"} {
			t.Run("threads="+threads, func(t *testing.T) {
				keys := oneAuthority(t)
				s := startServer(t, ourServer(t), serverSpec{http: true, pki: keys, flags: []string{"--threads=" + threads}})
				if page, err := s.status(""); err != nil || page.Version != 1 || len(page.Clusters) != 0 {
					t.Fatalf("at the start: %+v, %v", page, err)
				}
				a := startAgent(t, program, s, agentSpec{pki: keys.showing(t, "agent", "c1"), identifiers: "host=c1", flags: flags})
				conn := mustDial(t, dialerFor(t, s.as(keys.showing(t, "alice"))), listen(t, "127.0.0.1", echo).address)
				mustPing(t, conn, "0123456789")
				page := s.wantStatus(t, "cluster", "?connections=5", func(page statusPage) bool {
					return len(page.Clusters) == 1 && page.Clusters[0].BytesFromAgents == 10
				})
				c1 := page.Clusters[0]
				if c1.Name != "c1" || c1.State != "connected" || !c1.Certified || c1.OpenConnections != 1 || c1.BytesToAgents != 10 || c1.Identifiers[0] != "host=c1" {
					t.Errorf("cluster is %+v", c1)
				}
				native := strings.Contains(s.output(), "link=native")
				if want := map[bool]string{true: "native", false: "konnectivity"}[native]; c1.Links[0].Kind != want {
					t.Errorf("link is %s, want %s", c1.Links[0].Kind, want)
				}
				if len(page.Connections) != 1 || page.ConnectionsTotal != 1 || !strings.Contains(page.Connections[0].Client, "CN=alice") {
					t.Errorf("connections are %+v of %d", page.Connections, page.ConnectionsTotal)
				}
				if native {
					s.wantStatus(t, "round trip", "", func(page statusPage) bool {
						return page.Clusters[0].Links[0].RoundTripSeconds != nil
					})
				}
				dialError(dialerFor(t, s), "127.0.0.1:1")
				s.wantStatus(t, "last error", "", func(page statusPage) bool {
					return page.Clusters[0].FailedDials == 1 && strings.Contains(page.Clusters[0].LastError.Text, "connection refused")
				})
				a.kill()
				gone := s.wantStatus(t, "departure", "", func(page statusPage) bool { return page.Clusters[0].State == "gone" })
				if !strings.Contains(gone.Clusters[0].LastSeenFrom, "127.0.0.1:") {
					t.Errorf("gone cluster is %+v", gone.Clusters[0])
				}
			})
		}
	})
}

func TestCommandsShowTheStatus(t *testing.T) {
	t.Parallel()
	program, keys := ourProgram(t), commandPKI(t)
	s := startServer(t, ourServer(t), serverSpec{http: true, pki: keys, flags: []string{"--proxy-strategies=destHost", "--cluster-identity=enforce", "--cluster-identifiers=c1=127.0.0.1"}})
	a := startAgent(t, ours(t).agent, s, agentSpec{pki: keys, identifiers: "host=c1&host=127.0.0.1", flags: agentFlags(keys)})
	target := listen(t, "127.0.0.1", echo).address
	mustPing(t, mustDial(t, dialerFor(t, s), target), "ping")
	wants := func(code int, want string, arguments ...string) {
		t.Helper()
		run := exec.Command(program, arguments...)
		output, _ := run.CombinedOutput()
		if run.ProcessState.ExitCode() != code || !strings.Contains(string(output), want) {
			t.Errorf("%v ended with %d, want %d and %q:\n%s", arguments, run.ProcessState.ExitCode(), code, want, output)
		}
	}
	admin := "--admin=" + s.admin
	wants(0, "c1        connected", "status", admin)
	wants(0, "native", "status", "c1", "-o", "wide", admin)
	wants(0, "state: connected", "status", "-o", "yaml", admin)
	wants(0, "1 of 1 connections", "top", "--watch=false", admin)
	wants(1, "known are: c1", "status", "c2", admin)

	client, agent := keys.cluster.files("client"), keys.cluster.files("agent-c1")
	ask := func(server string, files certFiles, more ...string) []string {
		return append([]string{"doctor", "--server=" + server, "--ca-cert=" + keys.cluster.caFile(), "--client-cert=" + files.cert, "--client-key=" + files.key, admin}, more...)
	}
	wants(0, target+" takes connections through the tunnel", ask(s.frontend, client, "--cluster=c1", target)...)
	wants(1, "nothing listens at the target", ask(s.frontend, client, "127.0.0.1:1")...)
	wants(1, "no agent serves c9:1", ask(s.frontend, client, "c9:1")...)
	wants(1, "agents' certificates open no frontend", ask(s.frontend, agent, target)...)
	wants(0, "the native link", ask(s.agents, agent, "--agent")...)
	wants(0, "WARN  protocol", ask(s.agents, client)...)
	stranger := privatePKI(t)
	wants(1, "FAIL  tls", "doctor", "--server="+s.frontend, "--ca-cert="+stranger.cluster.caFile(), "--client-cert="+client.cert, "--client-key="+client.key)
	wants(1, "FAIL  tls", "doctor", "--server="+s.frontend, "--ca-cert="+keys.cluster.caFile(), "--client-cert="+stranger.cluster.files("client").cert, "--client-key="+stranger.cluster.files("client").key)

	a.kill()
	s.wantStatus(t, "departure", "", func(page statusPage) bool { return page.Clusters[0].State == "gone" })
	wants(1, `cluster "c1" is not connected: its agent "agent" was last seen`, "status", "c1", admin)
	wants(1, "no agent is connected to the server", ask(s.frontend, client)...)
}
