package daemon

import (
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/record"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/fusion"
	"github.com/stretchr/testify/require"
)

// Tests of the dashboard in a real browser, against real daemons.

// freePort is an address that nobody listens at.
func freePort(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// shownRoom runs a daemon at an address that replays the room, so many times faster
// than life, and records it into dir. From 13:41 until a time the light is unplugged.
func shownRoom(t *testing.T, address, dir, tokens, speed, dark string) (stop func() error) {
	c := roomConfig(t, true)
	c.Sensors[1].Unplug = [][2]string{{"2017/12/22 13:41:00", "2017/12/22 " + dark}}
	for i := range c.Sensors {
		c.Sensors[i].Speed = speed
	}
	c.API.Listen, c.API.TokenFile = []string{address}, tokens
	c.Record = recordTo(dir)
	model, err := fusion.Load(roomModel)
	require.NoError(t, err)
	d, err := New(c, Environment{Model: model, Notify: &notes{}, Version: "1.2.3", KernelSet: "avx2"})
	require.NoError(t, err)
	return run(t, d)
}

// tokenFile lets "secret" in.
func tokenFile(t testing.TB) string {
	path := filepath.Join(t.TempDir(), "tokens")
	require.NoError(t, os.WriteFile(path, []byte(api.TokenLine("test", "secret")), 0o600))
	return path
}

// login sends the token with every request, as a browser does that was told it.
func (b *chromium) login() {
	basic := base64.StdEncoding.EncodeToString([]byte("me:secret"))
	b.order("Network.setExtraHTTPHeaders", fmt.Sprintf(`{"headers":{"Authorization":"Basic %s"}}`, basic))
}

// noOverflow says that nothing is wider than the window.
const noOverflow = `document.documentElement.scrollWidth <= innerWidth`

func TestBrowserDashboard(t *testing.T) {
	b := openChromium(t)
	address, dir, tokens := freePort(t), t.TempDir(), tokenFile(t)
	stop := shownRoom(t, address, dir, tokens, "400", "13:48:00")
	b.size(1600, 1100, "light")
	b.login()
	b.visit(address)
	b.becomes(`document.getElementById('link')?.textContent === 'Live'`)

	// The answer of the daemon, with how sure it is, live.
	b.becomes(`/^(empty|1 person|[23] people)$/.test(document.getElementById('label').textContent)`)
	b.becomes(`/^\d+ % sure/.test(document.getElementById('sure').textContent)`)
	before := b.eval(`document.getElementById('when').textContent`)
	b.becomes(fmt.Sprintf(`document.getElementById('when').textContent !== %q`, before))
	b.becomes(`document.querySelectorAll('#modalities li').length === 5`)
	b.becomes(`document.querySelectorAll('#heat-table tbody tr').length === 6`)
	b.becomes(`/sure$/.test(document.getElementById('said').textContent)`)

	// A label by mouse, another by keyboard, and their end.
	b.becomes(`document.querySelectorAll('#labels button:enabled').length === 4`)
	b.eval(`document.querySelectorAll('#labels button')[2].click()`)
	b.becomes(`document.getElementById('running').textContent === 'Labelled 2 people'`)
	b.becomes(`document.querySelectorAll('#labels button')[2].getAttribute('aria-pressed') === 'true'`)
	b.eval(`document.getElementById('text').focus()`)
	b.order("Input.insertText", `{"text":"a cat"}`)
	b.press("Enter", 13)
	b.becomes(`document.getElementById('running').textContent === 'Labelled a cat'`)
	b.eval(`document.getElementById('end').click()`)
	b.becomes(`document.getElementById('running').textContent === 'No label holds.'`)

	// Recording off and on.
	b.becomes(`/^Recording · /.test(document.getElementById('rec').textContent)`)
	b.eval(`document.getElementById('stop').click()`)
	b.becomes(`/^Recording off/.test(document.getElementById('rec').textContent)`)
	b.eval(`document.getElementById('start').click()`)
	b.becomes(`/^Recording · /.test(document.getElementById('rec').textContent)`)

	for _, width := range []int{1600, 360} {
		for _, scheme := range []string{"light", "dark"} {
			b.size(width, 1100, scheme)
			require.Equal(t, true, b.eval(noOverflow), "%d %s", width, scheme)
			require.Empty(t, b.eval(contrast), scheme)
			b.picture(fmt.Sprintf("dashboard-%d-%s.png", width, scheme))
		}
	}
	b.size(1600, 1100, "light")
	require.Empty(t, b.complaints())

	// A daemon that goes is told from one that is there; one that comes back is found.
	require.NoError(t, stop())
	b.becomes(`/^Connection lost, last answer \d+ s ago$/.test(document.getElementById('link').textContent)`)
	b.becomes(`document.getElementById('answer').classList.contains('stale')`)
	b.becomes(`/^Connection lost. Last answer/.test(document.getElementById('when').textContent)`)
	require.Empty(t, b.eval(contrast))
	b.picture("lost.png")
	stop = shownRoom(t, address, dir, tokens, "400", "13:48:00")
	b.becomes(`document.getElementById('link').textContent === 'Live'`)
	b.becomes(`!document.getElementById('answer').classList.contains('stale')`)
	b.becomes(`/^(Just now|\d s ago)/.test(document.getElementById('when').textContent)`)

	// The first daemon's recording, with its labels.
	b.becomes(`document.querySelectorAll('#files li').length >= 2`)
	b.eval(`[...document.querySelectorAll('#files li')].find((li) => /0001.labels/.test(li.textContent)).querySelector('button').click()`)
	b.becomes(`!document.getElementById('player').hidden`)
	first := b.eval(`document.getElementById('seek-time').textContent`)
	for range 30 {
		b.press("ArrowRight", 39)
	}
	b.becomes(fmt.Sprintf(`document.getElementById('seek-time').textContent !== %q`, first))
	b.becomes(`/^\d+ % sure/.test(document.getElementById('sure').textContent)`)

	// Where it looked then, computed once more from the recording, whenever the slider rests.
	for range 2 {
		before := b.eval(`document.getElementById('heat-table').textContent`)
		for range 20 {
			b.press("ArrowRight", 39)
		}
		b.becomes(fmt.Sprintf(`document.getElementById('heat-note').textContent === 'Computed again from what was recorded.' &&
			document.getElementById('heat-table').textContent !== %q`, before))
		require.EqualValues(t, 6, b.eval(`document.querySelectorAll('#heat-table tbody tr').length`))
	}
	b.picture("recording.png")
	for _, width := range []int{1600, 360} {
		for _, scheme := range []string{"light", "dark"} {
			b.size(width, 1100, scheme)
			require.Equal(t, true, b.eval(noOverflow), "%d %s", width, scheme)
			require.Empty(t, b.eval(contrast), scheme)
			b.picture(fmt.Sprintf("recording-%d-%s.png", width, scheme))
		}
	}
	b.eval(`document.getElementById('live').click()`)
	b.becomes(`document.getElementById('player').hidden && document.body.dataset.mode === 'live'`)
	require.NoError(t, stop())

	labels := ""
	files, err := filepath.Glob(filepath.Join(dir, "*.mcap"))
	require.NoError(t, err)
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		labels += string(text)
	}
	for _, want := range []string{`"label":"2 people"`, `"label":"a cat"`, `"source":"dashboard"`} {
		require.Contains(t, labels, want)
	}
	b.onlyAsked(address)
}

// onlyAsked requires that nobody else was asked for anything.
func (b *chromium) onlyAsked(address string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	require.NotEmpty(b, b.requests)
	for _, url := range b.requests {
		require.True(b, strings.HasPrefix(url, "http://"+address+"/"), url)
	}
}

// TestBrowserLogin: a button that needs a token says so, and works with the one that
// the browser asks for; without one nothing changes. All by keyboard.
func TestBrowserLogin(t *testing.T) {
	b := openChromium(t)
	address, dir := freePort(t), t.TempDir()
	stop := shownRoom(t, address, dir, tokenFile(t), "100", "23:59:59")
	b.order("Fetch.enable", `{"handleAuthRequests":true}`)
	b.visit(address)
	b.becomes(`document.querySelectorAll('#labels button:enabled').length === 4`)
	b.becomes(`/need a token/.test(document.getElementById('rights').textContent)`)
	focused := `document.activeElement.textContent`
	b.press("Tab", 9)
	require.Equal(t, "Skip to the answer", b.eval(focused))
	for range 40 {
		if b.eval(focused) == "1 person" {
			break
		}
		b.press("Tab", 9)
	}
	require.Equal(t, "1 person", b.eval(focused))
	b.press("Enter", 13)
	b.becomes(`/^Not done: a token is needed/.test(document.getElementById('done').textContent)`)

	b.mu.Lock()
	b.password = "secret"
	b.mu.Unlock()
	b.press("Enter", 13)
	b.becomes(`document.getElementById('done').textContent === 'Labelled 1 person.'`)
	b.becomes(`document.getElementById('rights').textContent === ''`)

	// A sensor goes: the answer goes on, and the page says why something is missing.
	b.becomes(`document.querySelector('#sensors [data-state=down]')?.textContent.includes('unplugged')`)
	b.becomes(`document.querySelector('#modalities .off')?.parentElement.textContent === 'lightabsentsensor light: unplugged'`)
	b.becomes(`document.getElementById('link').textContent === 'Live, degraded'`)
	b.becomes(`document.querySelector('.notice')?.textContent.includes('unplugged')`)
	for _, scheme := range []string{"light", "dark"} {
		b.size(1600, 1000, scheme)
		require.Empty(t, b.eval(contrast), scheme)
		b.picture(fmt.Sprintf("degraded-%s.png", scheme))
	}
	b.onlyAsked(address)
	require.NoError(t, stop())
}

// TestBrowserWithoutModel: readings where there is no model, and buttons that say why
// they do nothing.
func TestBrowserWithoutModel(t *testing.T) {
	b := openChromium(t)
	address := freePort(t)
	c := quiet(sensor.Config{Alias: "room", Type: sensor.Recorded, File: roomRecording, Speed: "300", Time: []string{"Date", "Time"},
		Format: "2006/01/02 15:04:05", Channels: map[string]string{
			"S1_Temp": "desk_temp", "S1_Light": "desk_light", "S5_CO2": "co2", "S6_PIR": "door"}})
	c.API.Listen = []string{address}
	d, err := New(c, Environment{Notify: &notes{}, Version: "1.2.3", KernelSet: "avx2"})
	require.NoError(t, err)
	stop := run(t, d)
	b.visit(address)
	b.becomes(`document.getElementById('label')?.textContent === 'Collecting'`)
	b.becomes(`document.querySelectorAll('#reading-table tbody tr').length === 4`)
	b.becomes(`document.querySelectorAll('#true button:enabled').length === 0`)
	b.becomes(`/api.token_file/.test(document.getElementById('rights').textContent)`)
	b.becomes(`/no \[record\] table/.test(document.getElementById('rec-text').textContent)`)
	for _, width := range []int{1600, 360} {
		b.size(width, 1000, "light")
		require.Equal(t, true, b.eval(noOverflow), width)
		b.picture(fmt.Sprintf("collecting-%d.png", width))
	}
	require.Empty(t, b.complaints())
	b.onlyAsked(address)
	require.NoError(t, stop())
}

// TestBrowserHindsight: where the answers of a recording looked is shown by the model
// that gave them alone, and of those that all is there of; else the page says why not.
func TestBrowserHindsight(t *testing.T) {
	b := openChromium(t)
	dir := t.TempDir()
	c := roomConfig(t, true)
	c.Record = recordTo(dir)
	c.Record.SegmentBytes = 256 << 10
	model, err := fusion.Load(roomModel)
	require.NoError(t, err)
	d, err := New(c, Environment{Model: model, Notify: &notes{}})
	require.NoError(t, err)
	require.NoError(t, d.Run(t.Context()))
	files, err := filepath.Glob(filepath.Join(dir, "*.mcap"))
	require.NoError(t, err)
	require.Greater(t, len(files), 1)
	require.NoError(t, os.Remove(files[0]))

	for _, shown := range []struct {
		name  string
		model *fusion.Model
		note  string
	}{
		{"none", nil, `^Not known: no model is loaded\.`},
		{"other", tinyModel(t, twoFeatures), `^Not known: the answers are of another model `},
		{"same", model, `not all that led up to it is there`},
	} {
		address := freePort(t)
		c := quiet(airSensor())
		c.API.Listen = []string{address}
		c.Record = record.Config{When: record.API, Directory: dir}
		d, err := New(c, Environment{Model: shown.model, Notify: &notes{}, Version: "1.2.3", KernelSet: "avx2"})
		require.NoError(t, err)
		stop := run(t, d)
		b.visit(address)
		b.becomes(`document.querySelectorAll('#files li button').length > 0`)
		b.eval(fmt.Sprintf(`[...document.querySelectorAll('#files li')].find((li) => li.textContent.includes(%q)).querySelector('button').click()`,
			filepath.Base(files[1])))
		b.becomes(`!document.getElementById('player').hidden`)
		// What comes before may have another note, or none. One that is still being computed is
		// waited for: the next step would ask anew, and its answer come too late.
		b.becomes(fmt.Sprintf(`(() => {
			const note = document.getElementById('heat-note')?.textContent ?? '', seek = document.getElementById('seek');
			if (/%s/.test(note)) return true;
			if (!/computed/.test(note) || note === 'Computed again from what was recorded.') { seek.stepUp(); seek.oninput(); }
			return false;
		})()`, shown.note))
		require.Equal(t, true, b.eval(`!document.getElementById('heat').hidden && document.getElementById('heat-map').hidden`))
		for _, width := range []int{1600, 360} {
			b.size(width, 1000, "light")
			require.Equal(t, true, b.eval(noOverflow), width)
			require.Empty(t, b.eval(contrast))
			b.picture(fmt.Sprintf("hindsight-%s-%d.png", shown.name, width))
		}
		if shown.model == model {
			b.eval(`(() => { const seek = document.getElementById('seek'); seek.value = seek.max; seek.oninput(); })()`)
			b.becomes(`document.getElementById('heat-note').textContent === 'Computed again from what was recorded.'`)
			b.becomes(`document.querySelectorAll('#heat-table tbody tr').length === 6 && !document.getElementById('heat-map').hidden`)
			// It plays on, and what is shown is said to be of when it is.
			b.eval(`(() => { const seek = document.getElementById('seek'); seek.value = '20'; seek.oninput(); document.getElementById('play').click(); })()`)
			b.becomes(`/^Of the answer at /.test(document.getElementById('heat-note').textContent)`)
			b.eval(`document.getElementById('play').click()`)
			b.becomes(`document.getElementById('heat-note').textContent === 'Computed again from what was recorded.'`)
		}
		b.onlyAsked(address)
		require.NoError(t, stop())
	}
}
