package doctor

import (
	"context"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"time"

	"github.com/ragedge/ragedge/daemon/sensor"
)

// Machine is what the doctor touches of a machine. What is nil or zero of it, Fill
// takes from the real one.
type Machine struct {
	// Root is the file system, from /. It must be able to read links.
	Root fs.FS
	// Open opens a device file for reading and writing, and closes it again.
	Open func(path string) error
	// Owner says whom a file belongs to; ok is false where nobody knows.
	Owner func(fs.FileInfo) (uid, gid int, ok bool)
	// Major is the number of a device file's driver; ok is false where nobody knows.
	Major func(fs.FileInfo) (major int, ok bool)
	// Hardware opens buses and lines.
	Hardware sensor.Hardware
	// Systemctl runs systemctl with arguments and returns what it prints.
	Systemctl func(ctx context.Context, args ...string) (string, error)
	// LookPath finds a program.
	LookPath func(name string) (string, error)
	// LookupHost resolves a name.
	LookupHost func(ctx context.Context, host string) ([]string, error)
	// Dial connects.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Free is the room on the file system of a path, in bytes.
	Free func(path string) (int64, error)
	// Synchronised asks the kernel whether something keeps its clock right.
	Synchronised func() bool
	// UID and Groups are who asks.
	UID    int
	Groups []int
	// Patience bounds one question to a device or to the network; 0 is 3s.
	Patience time.Duration
}

// Fill returns m with this machine in the place of what is missing.
func (m Machine) Fill() Machine {
	m.Hardware = m.Hardware.Fill()
	if m.Root == nil {
		m.Root = os.DirFS("/")
		m.UID = os.Getuid()
		m.Groups, _ = os.Getgroups()
		m.Groups = append(m.Groups, os.Getgid())
	}
	if m.Open == nil {
		m.Open = openDevice
	}
	if m.Owner == nil {
		m.Owner = ownerOf
	}
	if m.Major == nil {
		m.Major = majorOf
	}
	if m.Systemctl == nil {
		m.Systemctl = func(ctx context.Context, args ...string) (string, error) {
			out, err := exec.CommandContext(ctx, "systemctl", args...).Output()
			return string(out), err
		}
	}
	if m.LookPath == nil {
		m.LookPath = exec.LookPath
	}
	if m.LookupHost == nil {
		m.LookupHost = net.DefaultResolver.LookupHost
	}
	if m.Dial == nil {
		m.Dial = new(net.Dialer).DialContext
	}
	if m.Free == nil {
		m.Free = freeSpace
	}
	if m.Synchronised == nil {
		m.Synchronised = synchronised
	}
	if m.Patience == 0 {
		m.Patience = 3 * time.Second
	}
	return m
}
