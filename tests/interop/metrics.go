package interop

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"testing"
)

const (
	serverPrefix = "konnectivity_network_proxy_server_"
	agentPrefix  = "konnectivity_network_proxy_agent_"
)

// series are the samples of one scrape: name{labels sorted} -> value.
type series map[string]float64

// scrape reads /metrics; an unreachable program gives no series.
func scrape(address string) series {
	_, body, _, err := get(address, "/metrics")
	if err != nil {
		return nil
	}
	all := series{}
	for _, line := range strings.Split(body, "\n") {
		cut := strings.LastIndexByte(line, ' ')
		if cut < 0 || line[0] == '#' {
			continue
		}
		if value, err := strconv.ParseFloat(line[cut+1:], 64); err == nil {
			all[canonical(line[:cut])] = value
		}
	}
	return all
}

func canonical(name string) string {
	open := strings.IndexByte(name, '{')
	if open < 0 {
		return name
	}
	labels := strings.Split(strings.TrimRight(name[open+1:], "},"), ",")
	sort.Strings(labels)
	return name[:open] + "{" + strings.Join(labels, ",") + "}"
}

// value finds one sample; labels are pairs of name and value.
func (s series) value(name string, labels ...string) (float64, bool) {
	if len(labels) > 0 {
		var parts []string
		for i := 0; i < len(labels); i += 2 {
			parts = append(parts, fmt.Sprintf("%s=%q", labels[i], labels[i+1]))
		}
		sort.Strings(parts)
		name += "{" + strings.Join(parts, ",") + "}"
	}
	value, found := s[name]
	return value, found
}

// family tells whether any sample of the metric exists, labelled or not.
func (s series) family(name string) bool {
	for sample := range s {
		if sample == name || strings.HasPrefix(sample, name+"{") || strings.HasPrefix(sample, name+"_count") {
			return true
		}
	}
	return false
}

// wantMetric polls until the sample has the value.
func wantMetric(t testing.TB, address string, want float64, name string, labels ...string) {
	t.Helper()
	eventually(t, name, patience, metricIs(address, want, name, labels...))
}

func metricIs(address string, want float64, name string, labels ...string) func() error {
	return func() error {
		got, found := scrape(address).value(name, labels...)
		if !found || got != want {
			return fmt.Errorf("%s%v is %v (present: %v), want %v", name, labels, got, found, want)
		}
		return nil
	}
}

// wantDialFailures is the server's counter for one reason.
func wantDialFailures(t testing.TB, s *server, reason string, want float64) {
	t.Helper()
	wantMetric(t, s.health, want, serverPrefix+"dial_failure_count", "reason", reason)
}
