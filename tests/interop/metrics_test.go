package interop

import (
	"fmt"
	"strings"
	"testing"
)

// Series with labels exist from their first event on, not before: dashboards and the upstream tests count on it.
func TestServerMetricsAtStart(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := startServer(t, program, serverSpec{flags: []string{"--proxy-strategies=destHost,default"}})
		now := scrape(s.health)
		for _, name := range []string{"http_connections", "ready_backend_connections", "pending_backend_dials",
			"established_connections", "culled_leases_count"} {
			if value, found := now.value(serverPrefix + name); !found || value != 0 {
				if name == "pending_backend_dials" || name == "established_connections" {
					continue // may appear with the first dial
				}
				t.Errorf("%s is %v (present: %v), want 0 from the start", name, value, found)
			}
		}
		for _, strategy := range []string{"destHost", "default"} {
			if _, found := now.value(serverPrefix+"ready_backends", "proxy_strategy", strategy); !found {
				t.Errorf("ready_backends of %s is missing at the start", strategy)
			}
		}
		for _, name := range []string{"grpc_connections", "full_receive_channels", "dial_failure_count", "stream_packets_total",
			"stream_errors_total", "lease_delete_total", "lease_list_total"} {
			if now.family(serverPrefix + name) {
				t.Errorf("%s exists before its first event", name)
			}
		}
	})
}

func TestServerCountsPackets(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := newStage(t, program)
		s.established(t, s.client, 1, 1)
		wantMetric(t, s.health, 1, serverPrefix+"established_connections")
		wantMetric(t, s.health, 1, serverPrefix+"grpc_connections", "service_method", "Proxy")
		wantMetric(t, s.health, 1, serverPrefix+"grpc_connections", "service_method", "Connect")
		s.client.say(t, data(1, "up"))
		s.agent.hears(t, data(1, "up"))
		s.agent.say(t, data(1, "down"))
		s.client.hears(t, data(1, "down"))
		for _, row := range [][2]string{{"from_client", "DIAL_REQ"}, {"to_agent", "DIAL_REQ"}, {"from_agent", "DIAL_RSP"}, {"to_client", "DIAL_RSP"},
			{"from_client", "DATA"}, {"to_agent", "DATA"}, {"from_agent", "DATA"}, {"to_client", "DATA"}} {
			wantMetric(t, s.health, 1, serverPrefix+"stream_packets_total", "segment", row[0], "packet_type", row[1])
		}
		wantMetric(t, s.health, 1, serverPrefix+"dial_duration_seconds_count")
		wantMetric(t, s.health, 2, serverPrefix+"frontend_write_duration_seconds_count")
		s.client.say(t, closeReq(1))
		s.agent.hears(t, closeReq(1))
		s.agent.say(t, closeRsp(1, ""))
		s.client.hears(t, closeRsp(1, ""))
		wantMetric(t, s.health, 0, serverPrefix+"established_connections")
		if scrape(s.health).family(serverPrefix + "dial_failure_count") {
			t.Error("dial_failure_count exists though no dial failed")
		}
	})
}

func TestServerCountsHTTPConnections(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := startServer(t, program, serverSpec{http: true, unix: true})
		agent := rawAgent(t, s, "agent")
		conn := ask(t, s, connectTarget)
		agent.say(t, dialRsp(agent.hearsDial(t, "10.0.0.1:80"), 1, ""))
		if _, err := readEstablished(conn); err != nil {
			t.Fatal(err)
		}
		wantMetric(t, s.health, 1, serverPrefix+"http_connections")
		wantMetric(t, s.health, 1, serverPrefix+"established_connections")
		if _, found := scrape(s.health).value(serverPrefix+"stream_packets_total", "segment", "to_client", "packet_type", "DIAL_RSP"); found {
			t.Error("http-connect counts packets towards the client")
		}
		conn.Close()
		agent.hears(t, closeReq(1))
		agent.say(t, closeRsp(1, ""))
		wantMetric(t, s.health, 0, serverPrefix+"http_connections")
		wantMetric(t, s.health, 0, serverPrefix+"established_connections")
	})
}

func TestServerCountsStreamErrors(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := newStage(t, program)
		s.client.cancel()
		wantMetric(t, s.health, 1, serverPrefix+"stream_errors_total", "segment", "from_client", "code", "Canceled", "packet_type", "Unknown")
		s.agent.cancel()
		wantMetric(t, s.health, 1, serverPrefix+"stream_errors_total", "segment", "from_agent", "code", "Canceled", "packet_type", "Unknown")
	})
}

// Existing tools compare these help texts and bucket bounds.
func TestMetricTexts(t *testing.T) {
	eachPairing(t, func(t *testing.T, pair pairing) {
		s := startServer(t, pair.server, serverSpec{})
		a := startAgent(t, pair.agent, s, agentSpec{})
		dial := dialerFor(t, s)
		mustPing(t, mustDial(t, dial, listen(t, "127.0.0.1", echo).address), "x")
		if _, err := dial(t.Context(), closedPort(t)); err == nil || !strings.Contains(err.Error(), "connection refused") {
			t.Fatalf("dial of a closed port: %v", err)
		}
		wantText(t, s.health, "# HELP "+serverPrefix+"dial_failure_count Number of dial failures observed. Multiple failures can occur for a single dial request.\n",
			"# TYPE "+serverPrefix+"dial_failure_count counter\n", "# TYPE "+serverPrefix+"ready_backends gauge\n",
			serverPrefix+`dial_duration_seconds_bucket{le="1e-06"} `, serverPrefix+`dial_duration_seconds_bucket{le="12.5"} `,
			serverPrefix+`frontend_write_duration_seconds_bucket{le="0.025"} `, "process_resident_memory_bytes ", "process_open_fds ")
		wantText(t, a.health, "# HELP "+agentPrefix+"endpoint_dial_failure_total Number of failures dialing the remote endpoint, by reason (example: timeout).\n",
			"# HELP "+agentPrefix+"open_endpoint_connections Current number of open endpoint connections.\n",
			agentPrefix+`endpoint_dial_failure_total{reason="unknown"} 1`, agentPrefix+`dial_duration_seconds_bucket{le="30"} 1`,
			agentPrefix+"open_server_connections 1", agentPrefix+"known_server_count 1", "process_cpu_seconds_total ")
	})
}

func wantText(t testing.TB, address string, parts ...string) {
	t.Helper()
	_, body, header, err := get(address, "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(header.Get("Content-Type"), "text/plain") {
		t.Errorf("/metrics is %q", header.Get("Content-Type"))
	}
	for _, part := range parts {
		if !strings.Contains(body, part) {
			t.Errorf("/metrics lacks %q", part)
		}
	}
}

func TestAgentMetricsAtStart(t *testing.T) {
	eachAgent(t, func(t *testing.T, program peer) {
		a := startAgent(t, program, nil, agentSpec{address: closedPort(t), noWait: true})
		now := scrape(a.health)
		if _, found := now.value(agentPrefix + "known_server_count"); !found {
			t.Error("known_server_count is missing at the start")
		}
		for _, name := range []string{"open_server_connections", "open_endpoint_connections", "endpoint_dial_failure_total",
			"server_connection_failure_count", "stream_packets_total", "stream_errors_total"} {
			if now.family(agentPrefix + name) {
				t.Errorf("%s exists before its first event", name)
			}
		}
	})
}

func TestAgentCountsPackets(t *testing.T) {
	eachAgent(t, func(t *testing.T, program peer) {
		_, a, stream := withAgent(t, program, agentSpec{})
		id := stream.opened(t, 1, listen(t, "127.0.0.1", echo).address)
		stream.say(t, data(id, "x"))
		stream.hearsData(t, id, 1)
		for _, row := range [][2]string{{"to_agent", "DIAL_REQ"}, {"from_agent", "DIAL_RSP"}, {"to_agent", "DATA"}, {"from_agent", "DATA"}} {
			wantMetric(t, a.health, 1, agentPrefix+"stream_packets_total", "segment", row[0], "packet_type", row[1])
		}
		wantMetric(t, a.health, 1, agentPrefix+"dial_duration_seconds_count")
		wantMetric(t, a.health, 1, agentPrefix+"open_endpoint_connections")
		wantMetric(t, a.health, 1, agentPrefix+"open_server_connections")
	})
}

func TestServerPages(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := startServer(t, program, serverSpec{flags: []string{"--enable-profiling"}})
		for _, page := range []struct {
			address, path string
			status        int
			body          string
		}{
			{s.health, "/healthz", 200, "ok"}, {s.health, "/readyz", 500, "no connection to any proxy agent"},
			{s.health, "/ready", 500, "no connection to any proxy agent"}, {s.health, "/metrics", 200, serverPrefix},
			{s.admin, "/metrics", 200, serverPrefix}, {s.health, "/", 404, ""}, {s.health, "/debug/pprof/", 404, ""},
			{s.admin, "/nothing", 404, ""}, {s.admin, "/debug/pprof", 301, ""},
		} {
			if err := wantPage(page.address, page.path, page.status, page.body)(); err != nil {
				t.Error(err)
			}
		}
		_, _, header, _ := get(s.admin, "/debug/pprof")
		if got := header.Get("Location"); got != "/debug/pprof/" {
			t.Errorf("/debug/pprof leads to %q", got)
		}
		rawAgent(t, s, "agent")
		for _, path := range []string{"/readyz", "/ready"} {
			if err := wantPage(s.health, path, 200, "ok")(); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestAgentPages(t *testing.T) {
	eachAgent(t, func(t *testing.T, program peer) {
		lost := startAgent(t, program, nil, agentSpec{address: closedPort(t), noWait: true})
		const failing = "[+]ping ok\n[-]server-connected failed: no servers connected"
		for _, path := range []string{"/readyz", "/ready"} {
			if err := wantPage(lost.health, path, 503, failing)(); err != nil {
				t.Error(err)
			}
		}
		_, a, _ := withAgent(t, program, agentSpec{})
		for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ok", "/ready": "ok", "/metrics": agentPrefix,
			"/readyz?verbose": "[+]ping ok\n[+]server-connected ok\ncheck passed\n"} {
			if err := wantPage(a.health, path, 200, want)(); err != nil {
				t.Error(err)
			}
		}
		status, _, header, err := get(a.admin, "/metrics")
		if want := fmt.Sprintf("//127.0.0.1:%s/metrics", portOf(a.health)); status != 301 || header.Get("Location") != want {
			t.Errorf("admin /metrics answers %d to %q (%v), want 301 to %q", status, header.Get("Location"), err, want)
		}
		if err := wantPage(a.health, "/other", 404, "")(); err != nil {
			t.Error(err)
		}
	})
}
