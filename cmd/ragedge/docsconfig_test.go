package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every configuration that a page shows is one; none needs another beside it.
func TestPagesShowConfigurationsThatHold(t *testing.T) {
	found := 0
	for page, text := range pages(t) {
		for _, p := range paragraphs(page, text) {
			if !p.configuration() {
				continue
			}
			t.Run(fmt.Sprintf("%s:%d", strings.TrimPrefix(page, "../../"), p.line), func(t *testing.T) {
				code, _, errs := try(t, "config", "check", "--config", write(t, "ragedge.toml", strings.Join(p.lines, "\n")))
				require.Zero(t, code, errs)
			})
			found++
		}
	}
	require.Greater(t, found, 25)
}
