package main

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// openTUN attaches to a device of another network namespace; packets come without a header of the driver.
func openTUN(namespace, device string) (int, error) {
	type opened struct {
		descriptor int
		err        error
	}
	done := make(chan opened)
	go func() {
		runtime.LockOSThread() // the thread is in another namespace from here on and ends with this goroutine
		if err := enter(namespace); err != nil {
			done <- opened{-1, err}
			return
		}
		descriptor, err := attach(device)
		done <- opened{descriptor, err}
	}()
	result := <-done
	return result.descriptor, result.err
}

func enter(namespace string) error {
	file, err := os.Open("/run/netns/" + namespace)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := unix.Setns(int(file.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("entering it (are you root?): %w", err)
	}
	return nil
}

func attach(device string) (int, error) {
	descriptor, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	request, err := unix.NewIfreq(device)
	if err != nil {
		return -1, err
	}
	request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	return descriptor, unix.IoctlIfreq(descriptor, unix.TUNSETIFF, request)
}
