package daemon

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// chromium is one page of a browser, told what to do over the pipe of the DevTools
// protocol: JSON objects with a zero byte after each.
type chromium struct {
	*testing.T
	orders  *os.File
	session string
	number  atomic.Int64
	writing sync.Mutex

	mu       sync.Mutex
	answers  map[int64]chan reply
	problems []string // what the console complained of
	requests []string // addresses that were asked for
	password string   // what is typed when the browser asks for one; "": that is cancelled
}

type reply struct {
	Result json.RawMessage
	Error  *struct{ Message string }
}

// openChromium starts a browser with an empty page, or skips the test.
func openChromium(t *testing.T) *chromium {
	name := os.Getenv("RAGEDGE_BROWSER")
	if name == "" || testing.Short() {
		t.Skip("needs time, and RAGEDGE_BROWSER to name chromium")
	}
	path, err := exec.LookPath(name)
	require.NoError(t, err)
	theirs, orders, err := os.Pipe()
	require.NoError(t, err)
	events, sent, err := os.Pipe()
	require.NoError(t, err)
	profile, err := os.MkdirTemp("", "ragedge-chromium")
	require.NoError(t, err)
	cmd := exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars",
		"--lang=en-GB", "--user-data-dir="+profile, "--remote-debugging-pipe", "about:blank")
	cmd.ExtraFiles = []*os.File{theirs, sent} // 3 and 4
	cmd.Env = append(os.Environ(), "TZ=UTC")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, cmd.Start())
	theirs.Close()
	sent.Close()
	b := &chromium{T: t, orders: orders, answers: map[int64]chan reply{}}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		orders.Close()
		events.Close()
		_ = os.RemoveAll(profile) // processes of it may still write there
	})
	go b.listen(bufio.NewReader(events))

	var target struct{ TargetID string }
	require.NoError(t, json.Unmarshal(b.order("Target.createTarget", `{"url":"about:blank"}`), &target))
	var session struct{ SessionID string }
	require.NoError(t, json.Unmarshal(b.order("Target.attachToTarget", fmt.Sprintf(`{"targetId":%q,"flatten":true}`, target.TargetID)), &session))
	b.session = session.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		b.order(domain+".enable", `{}`)
	}
	return b
}

// listen takes answers and events in until the browser ends.
func (b *chromium) listen(from *bufio.Reader) {
	for {
		text, err := from.ReadBytes(0)
		if err != nil {
			return
		}
		var m struct {
			ID     int64
			Method string
			Params struct {
				RequestID        string
				Type             string
				Args             []struct{ Value any }
				ExceptionDetails struct {
					Text      string
					Exception struct{ Description string }
				}
				Entry   struct{ Level, Text, URL string }
				Request struct{ URL string }
			}
			reply
		}
		if json.Unmarshal(text[:len(text)-1], &m) != nil {
			continue
		}
		b.mu.Lock()
		p := &m.Params
		switch {
		case m.ID != 0 && b.answers[m.ID] != nil:
			b.answers[m.ID] <- m.reply
			delete(b.answers, m.ID)
		case m.Method == "Fetch.requestPaused":
			go b.order("Fetch.continueRequest", fmt.Sprintf(`{"requestId":%q}`, p.RequestID))
		case m.Method == "Fetch.authRequired":
			login := `{"response":"CancelAuth"}`
			if b.password != "" {
				login = fmt.Sprintf(`{"response":"ProvideCredentials","username":"me","password":%q}`, b.password)
			}
			go b.order("Fetch.continueWithAuth", fmt.Sprintf(`{"requestId":%q,"authChallengeResponse":%s}`, p.RequestID, login))
		case m.Method == "Runtime.exceptionThrown":
			b.problems = append(b.problems, p.ExceptionDetails.Text+" "+p.ExceptionDetails.Exception.Description)
		case m.Method == "Runtime.consoleAPICalled" && (p.Type == "error" || p.Type == "warning"):
			b.problems = append(b.problems, fmt.Sprint(p.Args))
		case m.Method == "Log.entryAdded" && (p.Entry.Level == "error" || p.Entry.Level == "warning"):
			b.problems = append(b.problems, p.Entry.Text+" "+p.Entry.URL)
		case m.Method == "Network.requestWillBeSent":
			b.requests = append(b.requests, p.Request.URL)
		}
		b.mu.Unlock()
	}
}

// order sends a command and returns its result.
func (b *chromium) order(method, params string) json.RawMessage {
	b.Helper()
	id := b.number.Add(1)
	answer := make(chan reply, 1)
	b.mu.Lock()
	b.answers[id] = answer
	b.mu.Unlock()
	session := ""
	if b.session != "" {
		session = fmt.Sprintf(`,"sessionId":%q`, b.session)
	}
	b.writing.Lock()
	_, err := fmt.Fprintf(b.orders, `{"id":%d,"method":%q,"params":%s%s}%c`, id, method, params, session, 0)
	b.writing.Unlock()
	require.NoError(b, err)
	select {
	case r := <-answer:
		require.Nil(b, r.Error, method)
		return r.Result
	case <-time.After(time.Minute):
		require.FailNow(b, "the browser does not answer", method)
		return nil
	}
}

// eval returns the value of an expression, which may be a promise.
func (b *chromium) eval(expression string) any {
	b.Helper()
	params, err := json.Marshal(map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true})
	require.NoError(b, err)
	var out struct {
		Result           struct{ Value any }
		ExceptionDetails *struct {
			Exception struct{ Description string }
		}
	}
	require.NoError(b, json.Unmarshal(b.order("Runtime.evaluate", string(params)), &out))
	if out.ExceptionDetails != nil {
		require.FailNow(b, expression, out.ExceptionDetails.Exception.Description)
	}
	return out.Result.Value
}

// becomes waits until an expression is true.
func (b *chromium) becomes(expression string) {
	b.Helper()
	for until := time.Now().Add(30 * time.Second); b.eval(expression) != true; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(until) {
			require.FailNow(b, "never true: "+expression, "%v", b.eval("document.body.innerText"))
		}
	}
}

// visit goes to the page of a daemon at an address, once it listens: a browser that is
// refused shows a page of its own, and tries again when it likes. What was asked for
// before, the page that is left included, is forgotten.
func (b *chromium) visit(address string) {
	b.Helper()
	require.Eventually(b, func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err == nil
	}, 30*time.Second, 10*time.Millisecond)
	b.order("Page.navigate", `{"url":"about:blank"}`)
	b.mu.Lock()
	b.requests = nil
	b.mu.Unlock()
	var went struct{ ErrorText string }
	require.NoError(b, json.Unmarshal(b.order("Page.navigate", fmt.Sprintf(`{"url":"http://%s/"}`, address)), &went))
	require.Empty(b, went.ErrorText)
}

// size makes the window so wide, and light or dark.
func (b *chromium) size(width, height int, scheme string) {
	b.Helper()
	b.order("Emulation.setDeviceMetricsOverride", fmt.Sprintf(`{"width":%d,"height":%d,"deviceScaleFactor":1,"mobile":%t}`, width, height, width < 500))
	b.order("Emulation.setEmulatedMedia", fmt.Sprintf(`{"features":[{"name":"prefers-color-scheme","value":%q}]}`, scheme))
	b.eval(`new Promise((done) => setTimeout(done, 600))`) // it is drawn anew
}

// picture keeps a picture of the page where RAGEDGE_PICTURES says, if it does.
func (b *chromium) picture(name string) {
	b.Helper()
	b.eval(`scrollTo(0, 0)`)
	var out struct{ Data string }
	require.NoError(b, json.Unmarshal(b.order("Page.captureScreenshot", `{"format":"png","captureBeyondViewport":true}`), &out))
	data, err := base64.StdEncoding.DecodeString(out.Data)
	require.NoError(b, err)
	shot, err := png.Decode(bytes.NewReader(data))
	require.NoError(b, err)
	if dir := os.Getenv("RAGEDGE_PICTURES"); dir != "" {
		f, err := os.Create(filepath.Join(dir, name))
		require.NoError(b, err)
		defer f.Close()
		smallest := png.Encoder{CompressionLevel: png.BestCompression}
		require.NoError(b, smallest.Encode(f, fewColors(shot)))
	}
}

// fewColors draws a picture in the colors that it has most of, of those that are alike
// in one, which makes its file a third.
func fewColors(from image.Image) image.Image {
	count := map[color.Color]int{}
	for y := range from.Bounds().Dy() {
		for x := range from.Bounds().Dx() {
			count[from.At(x, y)]++
		}
	}
	order := slices.SortedFunc(maps.Keys(count), func(a, b color.Color) int {
		return cmp.Or(count[b]-count[a], strings.Compare(fmt.Sprint(a), fmt.Sprint(b)))
	})
	var palette color.Palette
	for _, c := range order {
		if len(palette) == 0 || len(palette) < 256 && far(c, palette[palette.Index(c)]) {
			palette = append(palette, c)
		}
	}
	to := image.NewPaletted(from.Bounds(), palette)
	draw.Draw(to, to.Rect, from, image.Point{}, draw.Src)
	return to
}

// press sends a key, by its name and its number, to what has the focus.
func (b *chromium) press(key string, code int) {
	b.Helper()
	text := ""
	if key == "Enter" {
		text = `,"text":"\r"`
	}
	b.order("Input.dispatchKeyEvent", fmt.Sprintf(`{"type":"keyDown","key":%q,"code":%[1]q,"windowsVirtualKeyCode":%d%s}`, key, code, text))
	b.order("Input.dispatchKeyEvent", fmt.Sprintf(`{"type":"keyUp","key":%q,"code":%[1]q,"windowsVirtualKeyCode":%d}`, key, code))
}

// far says that two colors can be told from each other.
func far(a, b color.Color) bool {
	r, g, blue, _ := a.RGBA()
	r2, g2, blue2, _ := b.RGBA()
	apart := func(x, y uint32) uint32 { return max(x, y) - min(x, y) }
	return apart(r, r2)+apart(g, g2)+apart(blue, blue2) > 10<<8
}

// complaints returns and forgets what the console complained of.
func (b *chromium) complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.problems
	b.problems = nil
	return all
}

// contrast finds texts that are hard to read: their color and what they stand on are
// less than 4.5 to 1 apart. Buttons that do nothing now do not count.
const contrast = `(() => {
  const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (c) => { paint.clearRect(0, 0, 1, 1); paint.fillStyle = c; paint.fillRect(0, 0, 1, 1); return [...paint.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; } return [255, 255, 255, 255]; };
  const hard = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !e.checkVisibility() || e.closest(':disabled, .hidden, noscript')) continue;
    const [a, b] = [light(rgba(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) hard.push(e.textContent.slice(0, 30) + ' ' + ratio.toFixed(2));
  }
  return hard.join('; ');
})()`
