package interop

import (
	"os/exec"
	"runtime"
	"sync"
)

var spawner struct {
	once sync.Once
	work chan func()
}

// startPinned starts the command from one thread that lives as long as the tests: Pdeathsig fires when the
// *thread* that forked ends, and Go retires threads.
func startPinned(cmd *exec.Cmd) error {
	spawner.once.Do(func() {
		spawner.work = make(chan func())
		go func() {
			runtime.LockOSThread()
			for work := range spawner.work {
				work()
			}
		}()
	})
	result := make(chan error)
	spawner.work <- func() { result <- cmd.Start() }
	return <-result
}
