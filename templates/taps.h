{{ banner }}
// What the harness has to know of this design.
#pragma once

constexpr unsigned kStreamBytes = {{ stream_bytes }};
constexpr unsigned kBeats = {{ beats }};

// HF_TAP(number, bits, firings of an image, detail)
#define HF_TAPS(HF_TAP) \
{%- for t in taps %}
  HF_TAP({{ loop.index0 }}, {{ t.bits }}, {{ t.per_image }}, {{ t.detail }}){% if !loop.last %} \{% endif %}
{%- endfor %}
