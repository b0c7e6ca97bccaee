package interop

import (
	"math/rand/v2"
	"testing"
)

// Every byte that a side accepted arrives once, in order, in its own tunnel.
func TestIntegrity(t *testing.T) {
	for _, front := range frontends {
		t.Run("client="+front.name, func(t *testing.T) {
			eachPairing(t, func(t *testing.T, pair pairing) {
				s := startServer(t, pair.server, front.spec)
				startAgent(t, pair.agent, s, agentSpec{})
				count, width := 130, 48
				if world.full {
					count, width = 2000, 200
				}
				runAll(t, randomJobs(pair, front.spec, count), width, dialerFor(t, s), newJudge(t))
			})
		})
	}
}

// Hundreds of tunnels open at the same time, all talking.
func TestHundredsAtOnce(t *testing.T) {
	eachPairing(t, func(t *testing.T, pair pairing) {
		s := startServer(t, pair.server, serverSpec{http: true, unix: true})
		startAgent(t, pair.agent, s, agentSpec{})
		var jobs []job
		for range 400 {
			jobs = append(jobs, job{seed: rand.Uint64(), up: rand.IntN(20000), down: rand.IntN(20000), slowly: true})
		}
		runAll(t, jobs, len(jobs), dialerFor(t, s), newJudge(t))
	})
}

// randomJobs leaves out what the reference is known to lose (TestReferenceBug* proves those cases).
func randomJobs(pair pairing, spec serverSpec, count int) []job {
	jobs := make([]job, count)
	for i := range jobs {
		j := job{seed: rand.Uint64(), up: randomSize(), down: randomSize(), shape: shape(rand.IntN(2))}
		switch kind := rand.IntN(5); {
		case kind == 0 && !pair.agent.reference():
			j.vanishes, j.shape, j.down = true, thenReply, 0
		case kind == 1:
			j.slowly = true
		case kind == 2 && spec.http && !pair.server.reference():
			j.halfClose, j.shape = true, thenReply
		}
		jobs[i] = j
	}
	return jobs
}

// randomSize prefers small sizes, as traffic does, but reaches several MiB and hits the edges of buffers.
func randomSize() int {
	edges := []int{0, 1, 4096, 16384, 32768, 65535, 65536}
	if pick := rand.IntN(3 * len(edges)); pick < len(edges) {
		return edges[pick]
	}
	return rand.IntN(1 << (4 + rand.IntN(19)))
}
