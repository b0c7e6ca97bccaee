// Package interop runs whole proxy-server and proxy-agent executables against each other on loopback
// sockets and checks every behaviour that a peer can see from outside.
package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// peer is one make of an executable: ours or the Go reference.
type peer struct {
	name string
	path string
}

// reference tells whether this is the Go program the contract was read from.
func (p peer) reference() bool { return p.name == "go" }

// world is what the environment asked for; TestMain fills it once before any test runs.
var world struct {
	servers []peer
	agents  []peer
	pki     *pki
	full    bool
	// wantBugs inverts the tests of known reference bugs for the Go peers: they must fail there.
	wantBugs bool
}

// parsePeers reads "ours=/path,go" or "/path"; the word "go" stands for the reference, built on demand.
func parsePeers(list, reference string) ([]peer, error) {
	if list == "" {
		list = "go"
	}
	var peers []peer
	for _, item := range strings.Split(list, ",") {
		name, path, named := strings.Cut(item, "=")
		switch {
		case !named && item == "go":
			name, path = "go", reference
		case !named:
			name, path = "ours", item
		}
		absolute, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		if _, err := os.Stat(absolute); err != nil {
			return nil, fmt.Errorf("program %q of peer %q: %w; build it or correct INTEROP_SERVER/INTEROP_AGENT", path, name, err)
		}
		peers = append(peers, peer{name, absolute})
	}
	return peers, nil
}

// eachServer runs the test once for every server under test, as a parallel subtest.
func eachServer(t *testing.T, test func(t *testing.T, program peer)) {
	t.Parallel()
	for _, program := range world.servers {
		t.Run("server="+program.name, func(t *testing.T) {
			t.Parallel()
			test(t, program)
		})
	}
}

// eachAgent runs the test once for every agent under test, as a parallel subtest.
func eachAgent(t *testing.T, test func(t *testing.T, program peer)) {
	t.Parallel()
	for _, program := range world.agents {
		t.Run("agent="+program.name, func(t *testing.T) {
			t.Parallel()
			test(t, program)
		})
	}
}

// pairing is one server make with one agent make.
type pairing struct{ server, agent peer }

// eachPairing runs the test for {servers} x {agents}, as parallel subtests.
func eachPairing(t *testing.T, test func(t *testing.T, pair pairing)) {
	t.Parallel()
	for _, server := range world.servers {
		for _, agent := range world.agents {
			t.Run("server="+server.name+"/agent="+agent.name, func(t *testing.T) {
				t.Parallel()
				test(t, pairing{server, agent})
			})
		}
	}
}

// referenceBug checks a rule which the reference breaks. The program blamed must pass if it is ours; a blamed
// reference is skipped, or, with INTEROP_EXPECT_REFERENCE_BUGS=1, must fail, which proves that the check can.
func referenceBug(t *testing.T, blamed peer, check func() error) {
	t.Helper()
	if blamed.reference() && !world.wantBugs {
		t.Skip("known bug of the reference; INTEROP_EXPECT_REFERENCE_BUGS=1 proves that it is there")
	}
	err := check()
	switch {
	case !blamed.reference() && err != nil:
		t.Fatal(err)
	case blamed.reference() && err == nil:
		t.Fatal("the reference passed: this check cannot tell the bug any more")
	case err != nil:
		t.Logf("as expected, the reference fails: %v", err)
	}
}
