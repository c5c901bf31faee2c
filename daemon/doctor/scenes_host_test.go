package doctor

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/stretchr/testify/require"
)

func unitScenes() []scene {
	return []scene{
		{name: "not started", want: problem("the service is not started", "no daemon answers", "systemctl enable --now ragedge")},
		{name: "no unit", unit: map[string]string{"LoadState": "not-found"}, want: problem("no daemon runs", "no daemon answers", "ragedge run --config /etc/ragedge/ragedge.toml")},
		{name: "no systemd", edit: func(_ testing.TB, m *Machine, _ *Case) {
			m.Systemctl = func(context.Context, ...string) (string, error) { return "", errors.New("not found") }
		}, want: Finding{Note, "systemd was not asked", "nothing is known of the unit", nil}},
		{name: "bad configuration", unit: map[string]string{"ActiveState": "failed", "ExecMainStatus": "78"},
			want: problem("the service ended with status 78", "the configuration is wrong", "ragedge config check --config /etc/ragedge/ragedge.toml", restart)},
		{name: "no group", unit: map[string]string{"ActiveState": "failed", "ExecMainStatus": "216"},
			want: problem("the service ended with status 216", "does not exist", "systemd-sysusers ragedge.conf", restart)},
		{name: "ended otherwise", unit: map[string]string{"ActiveState": "failed", "ExecMainStatus": "9", "Result": "oom-kill"},
			want: problem("the service failed (oom-kill, status 9)", "its log", ourLog)},
		{name: "runs elsewhere", unit: map[string]string{"ActiveState": "active"}, config: light,
			want: problem("the service runs, but does not answer", "another configuration", "systemctl status ragedge --no-pager")},
		{name: "groups are missing", files: fstest.MapFS{"etc/group": file("ragedge:x:900:\ni2c:x:101:\n")},
			want: problem("groups of the unit do not exist: spi gpio iio", "216/GROUP", "systemd-sysusers ragedge.conf", restart)},
		{name: "the user is missing", files: fstest.MapFS{"etc/passwd": file("root:x:0:0:::\n")},
			want: problem("the user of the unit does not exist: ragedge", "217/USER", "systemd-sysusers ragedge.conf", restart)},
		{name: "the unit is newer", unit: map[string]string{"NeedDaemonReload": "yes"},
			want: Finding{Warning, "the unit's file is newer than what systemd has loaded", "not in force", []string{"systemctl daemon-reload", restart}}},
		{name: "not allowed to ask", edit: func(_ testing.TB, m *Machine, c *Case) {
			m.UID, c.Silence = 1000, fmt.Errorf("dial: %w", fs.ErrPermission)
		}, want: problem("you may not ask the daemon", "Log in again", "usermod -aG ragedge ann")},
		{name: "late", edit: func(t testing.TB, m *Machine, c *Case) {
			status()(t, m, c)
			c.Status.Late = []string{"decide"}
		}, want: problem("the daemon is late: decide", "watchdog", longLog)},
		{name: "reload failed", edit: func(t testing.TB, m *Machine, c *Case) {
			status()(t, m, c)
			c.Status.Config.LastError = "ragedge.toml: 6:1: table agent is there twice"
		}, want: Finding{Warning, "the last reload failed", "6:1", []string{"ragedge config check --config /etc/ragedge/ragedge.toml", "systemctl reload ragedge"}}},
		{name: "much memory", unit: map[string]string{"ActiveState": "active"}, edit: func(t testing.TB, m *Machine, c *Case) {
			status()(t, m, c)
			c.Status.RSSBytes = 45 << 20
		}, want: Finding{Warning, "the daemon uses 45 of 48 MiB that its unit lets it have", "MemoryHigh", []string{"systemctl set-property ragedge.service MemoryHigh=90M MemoryMax=135M"}}},
	}
}

func hostScenes() []scene {
	recording := "[record]\nwhen = \"always\"\n"
	free := func(bytes int64) func(testing.TB, *Machine, *Case) {
		return func(_ testing.TB, m *Machine, _ *Case) { m.Free = func(string) (int64, error) { return bytes, nil } }
	}
	unsynced := func(_ testing.TB, m *Machine, _ *Case) { m.Synchronised = func() bool { return false } }
	return []scene{
		{name: "clock", edit: unsynced, files: fstest.MapFS{"sys/class/rtc/rtc0": nil},
			want: Finding{Warning, "the clock is not synchronised", "no clock with a battery", []string{"timedatectl set-ntp true"}}},
		{name: "timesyncd", edit: unsynced, files: fstest.MapFS{"run/systemd/timesync/synchronized": file("")}, none: "not synchronised"},
		{name: "chrony", edit: func(t testing.TB, m *Machine, c *Case) {
			status()(t, m, c)
			c.Status.TimeQuality = "unsynced"
		}, want: Finding{Note, "the clock is right, but the daemon does not know", "chrony",
			[]string{"install -D -m 644 systemd/30-chrony.conf /etc/systemd/system/ragedge.service.d/30-chrony.conf", reload}}},
		{name: "governor", files: fstest.MapFS{governors[1:] + "scaling_governor": file("powersave\n")},
			want: Finding{Note, "the CPU stays at its lowest frequency", "powersave", []string{"echo schedutil | tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"}}},
		{name: "powersave of a PC", files: fstest.MapFS{governors[1:] + "scaling_governor": file("powersave\n"), governors[1:] + "scaling_driver": file("intel_pstate\n")}, none: "lowest"},
		{name: "undervoltage", files: fstest.MapFS{throttledFile[1:]: file("50005\n")},
			want: Finding{Warning, "the board is slowed down now: undervoltage, throttled", "power supply", nil}},
		{name: "once hot", files: fstest.MapFS{throttledFile[1:]: file("80000\n")},
			want: Finding{Note, "since it started the board was at some time: hot", "heat sink", nil}},
		{name: "the daemon knows of power", files: fstest.MapFS{throttledFile[1:]: nil}, edit: func(t testing.TB, m *Machine, c *Case) {
			status()(t, m, c)
			c.Status.Power = &api.PowerStatus{Degraded: []string{"hot"}}
		}, want: Finding{Warning, "the board is slowed down now: hot", "heat sink", nil}},
		{name: "wrong kernels", edit: func(_ testing.TB, _ *Machine, c *Case) { c.Kernels.Fault = errors.New("dot of 3 values is 2") },
			want: problem("the kernels of set neon compute wrong values on this CPU", "dot of 3", "ragedge bench --json")},
		{name: "slower kernels", edit: func(t testing.TB, m *Machine, c *Case) {
			status()(t, m, c)
			c.Status.KernelSet = "generic"
		}, want: Finding{Note, "the daemon runs the generic kernels, but this CPU has neon", "RAGEDGE_CPU", []string{"systemctl cat ragedge", "journalctl -u ragedge -g kernels -n 5 --no-pager"}}},
		{name: "plain Go", edit: func(_ testing.TB, _ *Machine, c *Case) {
			c.Kernels = Kernels{Set: "generic", Sets: []string{"generic"}}
		},
			want: Finding{Note, "plain Go computes here", "64-bit", []string{"ragedge version"}}},
		{name: "full disk", config: recording, edit: free(3 << 20),
			want: problem("only 3 MiB are free for /var/lib/ragedge/recordings", "room", "du -xsh /var/lib/ragedge/recordings")},
		{name: "nearly full disk", config: recording, edit: free(100 << 20),
			want: Finding{Warning, "100 MiB are free for /var/lib/ragedge/recordings, but recordings may take 512 MiB more", "lower record.max_bytes", []string{"du -xsh /var/lib/ragedge/recordings"}}},
		{name: "a disk nearly full of recordings", config: recording, edit: func(t testing.TB, m *Machine, c *Case) {
			status()(t, m, c)
			free(100<<20)(t, m, c)
			c.Status.Record = &api.RecordStatus{Bytes: 500 << 20}
		}, none: "MiB are free for"},
		{name: "somebody else's recordings", config: recording, files: fstest.MapFS{"var/lib/ragedge/recordings": {Mode: fs.ModeDir | 0o755, Sys: owner{0, 0}}},
			want: problem("ragedge may not write to /var/lib/ragedge/recordings", "it belongs to root, group root, with mode 0755", "chown -R ragedge: /var/lib/ragedge/recordings")},
		{name: "somebody else's socket", files: fstest.MapFS{"run/ragedge/api.sock": {Mode: fs.ModeSocket | 0o660, Sys: owner{0, 0}}},
			want: Finding{Warning, "the socket /run/ragedge/api.sock belongs to group root", "Group= of the unit", []string{"rm /run/ragedge/api.sock", restart}}},
		{name: "no model", config: "[agent]\nmodel = \"/nowhere/room.safetensors\"\n",
			want: problem("a file of the configuration cannot be used", "/nowhere/room.safetensors")},
	}
}

// brokerScenes have real listeners, which end with the test.
func brokerScenes() []scene {
	mqtt := func(url string) string { return "[[sink]]\ntype = \"mqtt\"\nurl = \"" + url + "\"\n" }
	resolve := func(to string) func(testing.TB, *Machine, *Case) {
		return func(_ testing.TB, m *Machine, _ *Case) {
			m.LookupHost = func(context.Context, string) ([]string, error) { return []string{to}, nil }
			m.Dial = func(context.Context, string, string) (net.Conn, error) { panic("the unit does not let it") }
		}
	}
	unknown := func(_ testing.TB, m *Machine, _ *Case) {
		m.LookupHost = func(_ context.Context, host string) ([]string, error) {
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}
	}
	// to leads every connection to the server of a scene.
	to := func(address func(t testing.TB) string) func(testing.TB, *Machine, *Case) {
		return func(t testing.TB, m *Machine, c *Case) {
			real := address(t)
			m.LookupHost = func(context.Context, string) ([]string, error) { return []string{"127.0.0.1"}, nil }
			m.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, real)
			}
		}
	}
	secure := func(t testing.TB) string {
		s := httptest.NewUnstartedServer(nil)
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.StartTLS()
		t.Cleanup(s.Close)
		return s.Listener.Addr().String()
	}
	return []scene{
		{name: "no such name", config: mqtt("mqtt://broker"), edit: unknown, want: problem("broker broker:1883: the name does not resolve", "no such host", "getent hosts broker")},
		{name: "no Avahi", config: mqtt("mqtt://hall.local"), edit: unknown,
			want: Finding{Warning, "broker hall.local:1883: the name was not found by the system's resolver", "Avahi", []string{"systemctl status avahi-daemon --no-pager", "avahi-resolve -n hall.local"}}},
		{name: "filtered", config: mqtt("mqtts://broker"), edit: resolve("192.168.1.5"),
			want: problem("broker broker:8883: the unit's filter of addresses keeps the daemon from it", "20-mqtt.conf", lan...)},
		{name: "filtered far away", config: mqtt("mqtt://broker"), edit: resolve("203.0.113.9"), unit: map[string]string{"IPAddressAllow": "127.0.0.0/8 192.168.0.0/16"},
			want: problem("broker broker:1883: the unit's filter of addresses keeps the daemon from it", "a line of its own", dropInDir,
				`printf '[Service]\nIPAddressAllow=203.0.113.9\n' > /etc/systemd/system/ragedge.service.d/21-broker.conf`, reload)},
		{name: "no network", config: mqtt("mqtt://broker"), edit: resolve("127.0.0.1"), unit: map[string]string{"PrivateNetwork": "yes"},
			want: problem("broker broker:1883: the unit has no network", "pushes only", "rm /etc/systemd/system/ragedge.service.d/10-push-only.conf", reload)},
		{name: "nobody listens", config: mqtt("mqtt://127.0.0.1:1"),
			want: problem("broker 127.0.0.1:1: the machine is there, but nothing listens", "start the broker", "mosquitto_sub -h 127.0.0.1 -p 1 -t '#' -C 1 -W 5")},
		{name: "broker answers", config: mqtt("mqtt://example.com"), edit: to(secure), want: Finding{OK, "broker example.com:1883 can be reached", "", nil}},
		{name: "unknown certificate", config: mqtt("mqtts://example.com"), edit: to(secure),
			want: problem("broker example.com:8883: its certificate is signed by nobody known", "set ca_file", "openssl s_client -connect example.com:8883 -showcerts </dev/null")},
		{name: "known certificate", config: mqtt("mqtts://example.com"), edit: func(t testing.TB, m *Machine, c *Case) {
			to(secure)(t, m, c)
			c.Config.Sinks[0].CAFile = certificate(t)
		}, want: Finding{OK, "broker example.com:8883 can be reached", "", nil}},
		{name: "another name", config: mqtt("mqtts://broker"), edit: func(t testing.TB, m *Machine, c *Case) {
			to(secure)(t, m, c)
			c.Config.Sinks[0].CAFile = certificate(t)
		}, want: problem("broker broker:8883: its certificate is for another name", "Use that name in url", "openssl s_client -connect broker:8883 -showcerts </dev/null")},
		{name: "not TLS", config: mqtt("mqtts://broker"), edit: to(func(t testing.TB) string {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			t.Cleanup(func() { l.Close() })
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					c.Write([]byte(strings.Repeat("no TLS here\n", 10)))
					c.Close()
				}
			}()
			return l.Addr().String()
		}), want: problem("broker broker:8883: no TLS", "Is that a port for TLS?", "openssl s_client -connect broker:8883 -showcerts </dev/null")},
	}
}

// certificate writes the one of httptest's servers to a file.
func certificate(t testing.TB) string {
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	defer s.Close()
	path := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	require.NoError(t, os.WriteFile(path, text, 0o600))
	return path
}
