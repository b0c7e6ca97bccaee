package interop

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	cache, err := buildReference()
	if err != nil {
		return 0, err
	}
	if world.servers, err = parsePeers(os.Getenv("INTEROP_SERVER"), filepath.Join(cache, "server")); err != nil {
		return 0, err
	}
	if world.agents, err = parsePeers(os.Getenv("INTEROP_AGENT"), filepath.Join(cache, "agent")); err != nil {
		return 0, err
	}
	world.full = os.Getenv("INTEROP_FULL") == "1"
	world.wantBugs = os.Getenv("INTEROP_EXPECT_REFERENCE_BUGS") == "1"
	directory, err := os.MkdirTemp("", "interop-pki-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(directory)
	if world.pki, err = newPKI(directory); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// buildReference compiles the pinned Go server and agent once; the build cache makes repeats cheap.
func buildReference() (string, error) {
	cache := os.Getenv("CLUSTER_PROXY_CACHE")
	if cache == "" {
		home, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		cache = filepath.Join(home, "cluster-proxy")
	}
	directory := filepath.Join(cache, "interop", referenceVersion)
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return "", err
	}
	const module = "sigs.k8s.io/apiserver-network-proxy"
	for _, program := range []string{"server", "agent"} {
		binary := filepath.Join(directory, program)
		if _, err := os.Stat(binary); err == nil {
			continue
		}
		build := exec.Command("go", "build", "-trimpath", "-o", binary, module+"/cmd/"+program)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if output, err := build.CombinedOutput(); err != nil {
			return "", fmt.Errorf("building the reference %s: %w\n%s", program, err, output)
		}
	}
	return directory, nil
}

// referenceVersion names the cache folder, so that a changed pin in go.mod needs a change here to rebuild.
const referenceVersion = "v0.36.0"
