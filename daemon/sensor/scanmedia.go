package sensor

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// alsa finds the sound cards that can record, by their names: numbers change from
// boot to boot.
func (s *Scan) alsa(h Hardware) {
	cards, about := alsaCards(h.Proc)
	data, _ := fs.ReadFile(h.Proc, "asound/pcm")
	for line := range strings.Lines(string(data)) {
		// 01-00: USB Audio : USB Audio : playback 1 : capture 1
		number, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		card, device, ok := strings.Cut(number, "-")
		if !ok || !strings.Contains(rest, ": capture") {
			continue
		}
		id := cards[trimZeros(card)]
		if id == "" {
			continue
		}
		name := "plughw:CARD=" + id
		if n := trimZeros(device); n != "0" {
			name += ",DEV=" + n
		}
		s.Found = append(s.Found, Found{
			Config: Config{Type: Audio, Alias: id, Device: name},
			Note:   "microphone: " + about[trimZeros(card)],
		})
	}
}

func trimZeros(number string) string {
	if n := strings.TrimLeft(strings.TrimSpace(number), "0"); n != "" {
		return n
	}
	return "0"
}

// alsaCards returns the names of the cards by their numbers, and what they are.
func alsaCards(proc fs.FS) (ids, about map[string]string) {
	ids, about = map[string]string{}, map[string]string{}
	data, _ := fs.ReadFile(proc, "asound/cards")
	for line := range strings.Lines(string(data)) {
		//  1 [Device         ]: USB-Audio - USB PnP Sound Device
		number, rest, ok := strings.Cut(line, "[")
		id, rest, also := strings.Cut(rest, "]:")
		if !ok || !also {
			continue // the second line of a card
		}
		_, name, _ := strings.Cut(rest, " - ")
		number = strings.TrimSpace(number)
		ids[number], about[number] = strings.TrimSpace(id), strings.TrimSpace(name)
	}
	return ids, about
}

// ownVideo are parts of a computer that work on pictures and take none.
var ownVideo = []string{"bcm2835-isp", "bcm2835-codec", "pispbe", "rpi-hevc", "vivid"}

// cameras finds those that deliver pictures.
func (s *Scan) cameras(h Hardware) {
	for _, dir := range devices(h.Sysfs, cameraClass) {
		name, err := readText(h.Sysfs, path.Join(dir, "name"))
		own := slices.ContainsFunc(ownVideo, func(word string) bool { return strings.HasPrefix(name, word) })
		if err != nil || own || !firstNode(h.Sysfs, dir) {
			continue
		}
		file := "/dev/" + path.Base(dir)
		formats, err := h.Pictures(file)
		if err != nil {
			s.note("camera %s (%s): %v", file, name, cameraFailure(err))
			continue
		}
		if len(formats) == 0 {
			s.note("%s (%s) has no pictures in a format that can be read: use type = \"camera\" with a command such as rpicam-vid or ffmpeg", file, name)
			continue
		}
		device := name
		if found, err := findCamera(h.Sysfs, name); err != nil || found != file {
			device = file
		}
		s.Found = append(s.Found, Found{
			Config: Config{Type: Camera, Alias: "camera", Device: device},
			Note:   fmt.Sprintf("camera %s: %s", name, strings.Join(formats, ", ")),
		})
	}
}
