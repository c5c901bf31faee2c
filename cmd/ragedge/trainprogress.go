package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/ragedge/ragedge/train"
)

// trainProgress says how far training is: on a terminal with a bar that goes away again,
// else with a line for every model.
type trainProgress struct {
	w        io.Writer
	terminal bool
	shown    bool
}

func (p *trainProgress) show(now train.Progress) {
	const cells = 24
	switch {
	case p.terminal:
		n := cells * now.Done / max(now.All, 1)
		fmt.Fprintf(p.w, "\r\x1b[K[%s%s] %d/%d %s, seed %d", strings.Repeat("#", n), strings.Repeat(".", cells-n), now.Done, now.All, now.Candidate, now.Seed)
		if !now.Finished {
			fmt.Fprintf(p.w, ", epoch %d: %.3f", now.Epoch.Epoch, now.Epoch.Score)
		}
		p.shown = true
	case now.Finished:
		fmt.Fprintf(p.w, "%d/%d %s, seed %d: %.3f\n", now.Done, now.All, now.Candidate, now.Seed, now.Score)
	}
}

func (p *trainProgress) clear() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
