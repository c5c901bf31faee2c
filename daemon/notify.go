package daemon

import (
	"github.com/coreos/go-systemd/v22/daemon"
)

// Notifier tells the service manager how the daemon is. Its words are those of
// sd_notify(3): READY=1, WATCHDOG=1, STOPPING=1, STATUS=….
type Notifier interface {
	Notify(state string) error
}

// systemd is the real Notifier; without a service manager it says nothing.
type systemd struct{}

func (systemd) Notify(state string) error {
	_, err := daemon.SdNotify(false, state)
	return err
}
