package board

import (
	"bufio"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	scrapes = 50
	pushes  = 2000
	// In KiB. The promise is missed by a megabyte once pushes have come; what must
	// not happen is that it grows from there.
	memoryPromise = 12 << 10
	memoryCeiling = 14 << 10
)

// roomSensors are the five sensors of the room's model, by their channels.
var roomSensors = map[string][]string{
	"climate": {"S1_Temp", "S2_Temp", "S3_Temp", "S4_Temp"},
	"light":   {"S1_Light", "S2_Light", "S3_Light", "S4_Light"},
	"sound":   {"S1_Sound", "S2_Sound", "S3_Sound", "S4_Sound"},
	"co2":     {"S5_CO2", "S5_CO2_Slope"},
	"motion":  {"S6_PIR", "S7_PIR"},
}

// roomConfig is a daemon with five sensors, the API, a recording and a model.
func roomConfig() string {
	var b strings.Builder
	b.WriteString("[agent]\nmodel = \"room.safetensors\"\n[record]\nwhen = \"always\"\n")
	for alias, channels := range roomSensors {
		fmt.Fprintf(&b, "[[sensor]]\nalias = %q\ntype = \"push\"\n[sensor.channels]\n", alias)
		for _, c := range channels {
			fmt.Fprintf(&b, "%s = %q\n", c, c)
		}
	}
	return b.String()
}

// roomPush is a sample for every channel of a sensor, taken at a moment.
func roomPush(alias string, at time.Time) string {
	var samples []string
	for i, c := range roomSensors[alias] {
		samples = append(samples, fmt.Sprintf(`{"channel":%q,"value":%d,"time":%q}`, c, i, at.UTC().Format(time.RFC3339Nano)))
	}
	return `{"samples":[` + strings.Join(samples, ",") + `]}`
}

// pushAll pushes n times, as five sensors do that read once a second: the samples
// say that they were taken then, up to now. They share a connection without the rest of
// an HTTP client, which would cost the emulated CPU as much as the daemon does.
func pushAll(t *testing.T, n int) {
	t.Helper()
	aliases := slices.Sorted(maps.Keys(roomSensors))
	period := time.Second / time.Duration(len(aliases))
	begin := time.Now().Add(-time.Duration(n) * period)
	conn, err := net.Dial("unix", socket)
	require.NoError(t, err)
	defer conn.Close()
	in := bufio.NewReader(conn)
	for i := range n {
		text := roomPush(aliases[i%len(aliases)], begin.Add(time.Duration(i)*period))
		require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
		_, err := fmt.Fprintf(conn, "POST /v1/regions HTTP/1.1\r\nHost: ragedge\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
		require.NoError(t, err)
		_, err = body(http.ReadResponse(in, nil))
		require.NoError(t, err)
	}
}

// memoryStaysSmall measures the daemon that the promise is about.
func memoryStaysSmall(t *testing.T) {
	model, err := os.ReadFile("/board/room.safetensors")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(state+"/models/room.safetensors", model, 0o640))
	edit(t, roomConfig())
	start := time.Now()
	run(t, "systemctl", "restart", unit)
	figure(t, "start to ready, with a model, at most 300 ms", "%d ms", ready(t).Milliseconds())
	pushAll(t, len(roomSensors))
	text, err := post("/v1/regions?decide=1", roomPush("light", time.Now()))
	require.NoError(t, err)
	require.Contains(t, string(text), `"label":"`)
	figure(t, "from start to the first decision", "%.1f s", time.Since(start).Seconds())

	id := pid(t)
	figure(t, "VmRSS, idle", "%s", resident(t, id))
	for range scrapes {
		_, err := get("/metrics")
		require.NoError(t, err)
	}
	figure(t, fmt.Sprintf("VmRSS after %d scrapes", scrapes), "%s", resident(t, id))
	start = time.Now()
	pushAll(t, pushes)
	seconds := time.Since(start).Seconds()
	kb := memory(t, id, "VmRSS")
	figure(t, fmt.Sprintf("VmRSS after %d pushes, at most %d KiB", pushes, memoryPromise), "%s, %.0f pushes/s", resident(t, id), pushes/seconds)
	figure(t, "VmHWM", "%d KiB", memory(t, id, "VmHWM"))
	require.LessOrEqual(t, kb, memoryCeiling)
	require.Equal(t, id, pid(t))
	recordings, err := filepath.Glob(state + "/recordings/*.mcap*")
	require.NoError(t, err)
	require.NotEmpty(t, recordings)
	withHugePages(t)
}

// resident says what is resident, and how much of that is not the program's file.
func resident(t *testing.T, id int) string {
	t.Helper()
	return fmt.Sprintf("%5d KiB (%d of its own)", memory(t, id, "VmRSS"), memory(t, id, "RssAnon"))
}

// withHugePages measures the same daemon without the unit's GODEBUG=disablethp=1.
func withHugePages(t *testing.T) {
	dir := "/run/systemd/system/" + unit + ".d"
	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, os.WriteFile(dir+"/pages.conf", []byte("[Service]\nUnsetEnvironment=GODEBUG\n"), 0o644))
	run(t, "systemctl", "daemon-reload")
	run(t, "systemctl", "restart", unit)
	pushAll(t, 100)
	figure(t, "VmRSS with huge pages, after 100 pushes", "%s", resident(t, pid(t)))
	require.NoError(t, os.RemoveAll(dir))
	run(t, "systemctl", "daemon-reload")
	run(t, "systemctl", "restart", unit)
}
