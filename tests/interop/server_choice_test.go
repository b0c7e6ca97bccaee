package interop

import (
	"fmt"
	"testing"
)

func TestServerAvoidsDrainingAgent(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := newStage(t, program)
		s.established(t, s.client, 2, 1)
		s.agent.say(t, drain())
		s.agent.hearsNothing(t)
		fresh := rawAgent(t, s.server, "fresh")
		eventually(t, "the fresh agent counts", patience, metricIs(s.health, 2, serverPrefix+"ready_backend_connections"))
		for random := range int64(10) {
			rawClient(t, s.server).say(t, dialReq(100+random, "10.0.0.1:80"))
			fresh.hearsDial(t, "10.0.0.1:80")
		}
		s.client.say(t, data(1, "goes on"))
		s.agent.hears(t, data(1, "goes on"))
		fresh.vanish()
		wantMetric(t, s.health, 1, serverPrefix+"ready_backend_connections")
		s.stillServes(t)
	})
}

// A second stream of the same agent must not disturb the first one's tunnels, nor count twice.
func TestServerWithTwoStreamsOfOneAgent(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := newStage(t, program)
		s.established(t, s.client, 2, 1)
		second := rawAgent(t, s.server, "agent")
		wantMetric(t, s.health, 1, serverPrefix+"ready_backend_connections")
		wantMetric(t, s.health, 2, serverPrefix+"grpc_connections", "service_method", "Connect")
		s.client.say(t, data(1, "up"))
		s.agent.hears(t, data(1, "up"))
		second.vanish()
		wantMetric(t, s.health, 1, serverPrefix+"grpc_connections", "service_method", "Connect")
		s.agent.say(t, data(1, "down"))
		s.client.hears(t, data(1, "down"))
		s.stillServes(t)
	})
}

func TestServerStrategies(t *testing.T) {
	agents := map[string]string{
		"n1":       "host=n1&ipv4=10.0.0.1&ipv6=fd00::1",
		"n2":       "ipv4=10.0.0.2&host=n2.example&cidr=10.1.0.0/16&future=yes",
		"fallback": "default-route=true",
	}
	for _, c := range []struct{ strategies, address, want string }{
		{"destHost", "10.0.0.1:443", "n1"},
		{"destHost", "n1:443", "n1"},
		{"destHost", "[fd00::1]:443", "n1"},
		{"destHost", "n2.example:80", "n2"},
		{"destHost", "10.1.2.3:80", ""},
		{"destHost", "N1:443", ""},
		{"defaultRoute", "anything:1", "fallback"},
		{"destHost,defaultRoute", "10.0.0.2:1", "n2"},
		{"destHost,defaultRoute", "elsewhere:1", "fallback"},
	} {
		t.Run(c.strategies+"/"+c.address, func(t *testing.T) {
			eachServer(t, func(t *testing.T, program peer) {
				s := startServer(t, program, serverSpec{flags: []string{"--proxy-strategies=" + c.strategies}})
				streams := map[string]*caller{}
				for id, identifiers := range agents {
					streams[id] = rawAgentUnheard(t, s, "agentid", id, "agentidentifiers", identifiers)
				}
				eventually(t, "agents registered", patience, registered(s, c.strategies))
				client := rawClient(t, s)
				client.say(t, dialReq(1, c.address))
				if c.want == "" {
					client.hears(t, dialRsp(1, 0, "No agent available"))
					return
				}
				streams[c.want].hearsDial(t, c.address)
			})
		})
	}
}

// registered waits for the number of keys that the agents of TestServerStrategies give to each strategy.
func registered(s *server, strategies string) func() error {
	keys := map[string]float64{"destHost": 5, "defaultRoute": 1, "destHost,defaultRoute": 5}
	first := strategies
	if strategies == "destHost,defaultRoute" {
		first = "destHost"
	}
	return func() error {
		if err := metricIs(s.health, keys[strategies], serverPrefix+"ready_backends", "proxy_strategy", first)(); err != nil {
			return err
		}
		if strategies == "destHost,defaultRoute" {
			return metricIs(s.health, 1, serverPrefix+"ready_backends", "proxy_strategy", "defaultRoute")()
		}
		return nil
	}
}

func TestServerSpreadsOverAgents(t *testing.T) {
	eachServer(t, func(t *testing.T, program peer) {
		s := startServer(t, program, serverSpec{})
		agents := []*caller{rawAgent(t, s, "a"), rawAgent(t, s, "b"), rawAgent(t, s, "c")}
		wantMetric(t, s.health, 3, serverPrefix+"ready_backends", "proxy_strategy", "default")
		for random := range int64(120) {
			rawClient(t, s).say(t, dialReq(random, fmt.Sprintf("10.0.0.1:%d", random+1)))
		}
		wantMetric(t, s.health, 120, serverPrefix+"stream_packets_total", "packet_type", "DIAL_REQ", "segment", "to_agent")
		for i, a := range agents {
			// Uniform choice leaves an agent below 10 of 120 less than once in a million runs.
			eventually(t, fmt.Sprintf("dials of agent %d", i), patience, func() error {
				if got := len(a.received); got < 10 {
					return fmt.Errorf("%d of 120 dials", got)
				}
				return nil
			})
		}
	})
}
