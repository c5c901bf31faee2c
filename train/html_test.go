package train

import (
	"encoding/xml"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestHTML: names from data cannot become markup, plots are well-formed, and the page
// needs nothing from elsewhere.
func TestHTML(t *testing.T) {
	const evil = `<script>alert("1")</script>&'`
	s := eitherSearch(t)
	s.Task.Name, s.Data.Name = evil, evil
	s.Data.Labels = []string{evil, "other"}
	s.Task.Epochs = 2
	selection, err := s.Run(t.Context())
	require.NoError(t, err)
	page := string(selection.Report.HTML())
	require.NotContains(t, page, "<script")
	require.Contains(t, page, "&lt;script&gt;")
	require.NotRegexp(t, `(src|href)=|url\(|@import|https?:`, page)
	for _, want := range []string{"What was compared", "answers by truth", "share of the attention", "score without modalities", "only left", "late fusion"} {
		require.Contains(t, page, want)
	}
	plots := regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(page, -1)
	require.Len(t, plots, 2+2*3, "two curves, and three plots for test and validation")
	for _, plot := range plots {
		require.NotContains(t, plot, "NaN")
		d := xml.NewDecoder(strings.NewReader(plot))
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else {
				require.NoError(t, err, plot)
			}
		}
	}
	// Nothing to see must not break it either.
	require.Contains(t, string((&Report{Validation: &Evaluation{Scores: Scores{ClassScores: &ClassScores{}}}, Split: &Split{}}).HTML()), "</html>")
}
