{{ banner }}
// Test bench for Icarus Verilog: the same stimulus and the same records as harness.cpp, as text.
//
// +stimulus=FILE (one beat a line, hexadecimal) +commands=FILE (one an image) +images=N +seed=S +resets=R +limit=CYCLES +detail=IMAGE
// +precharge=C +window=C +bus=FILE +trace=FILE +out=FILE; see harness.cpp for what they mean.
`default_nettype none
`timescale 1ns / 1ns

module tb;
  localparam int Beats = {{ beats }};
  localparam int StreamBits = {{ stream_bits }};
  localparam int Near = Beats + 64;

  logic clk_i = 1'b0;
  logic rst_ni = 1'b0;
  logic s_axis_tvalid_i = 1'b0;
  logic s_axis_tready_o;
  logic [StreamBits-1:0] s_axis_tdata_i = '0;
  logic s_axis_tlast_i = 1'b0;
{%- if memory %}
  logic [17:0] s_axis_tuser_i = '0;
{%- endif %}
  logic m_axis_tvalid_o;
  logic m_axis_tready_i = 1'b0;
  logic [StreamBits-1:0] m_axis_tdata_o;
  logic m_axis_tlast_o;
  logic s_axil_awvalid_i = 1'b0;
  logic s_axil_awready_o;
  logic [7:0] s_axil_awaddr_i = '0;
  logic s_axil_wvalid_i = 1'b0;
  logic s_axil_wready_o;
  logic [31:0] s_axil_wdata_i = '0;
  logic [3:0] s_axil_wstrb_i = '1;
  logic s_axil_bvalid_o;
  logic s_axil_bready_i = 1'b1;
  logic [1:0] s_axil_bresp_o;
  logic s_axil_arvalid_i = 1'b0;
  logic s_axil_arready_o;
  logic [7:0] s_axil_araddr_i = '0;
  logic s_axil_rvalid_o;
  logic s_axil_rready_i = 1'b1;
  logic [31:0] s_axil_rdata_o;
  logic [1:0] s_axil_rresp_o;
{%- if access %}
  logic access_busy_o;
{%- endif %}
{%- for t in taps %}
  logic tap{{ loop.index0 }}_fire_o;
  logic [{{ t.bits }}-1:0] tap{{ loop.index0 }}_data_o;
  integer fired{{ loop.index0 }} = 0;
{%- if t.per_image == 0 %}
  integer fired_before_{{ loop.index0 }} = 0;  // the same when the last result was seen
{%- endif %}
{%- endfor %}

  hafnia_sim sim (.*);

  reg [8*512-1:0] path;
  integer stimulus, out, images, seed, resets, limit, detail, precharge, window, code;
  integer cycle = 0;
  integer first_beat = -1;
  integer base = 0;
  integer started = 0;
  integer done = 0;
  integer beat = 0;
  integer last_progress = 0;
  integer reset_in = 0;
  integer k;
  integer random_state;
  logic offering = 1'b0;
  logic held = 1'b0;
  logic counted = 1'b0;
  logic [StreamBits-1:0] held_data;
  logic [StreamBits-1:0] beats[0:{{ most_beats }}-1];
{%- if memory %}
  logic [17:0] commands[0:{{ most_images }}-1];
{%- endif %}
  integer result_beats = 0;
  logic [StreamBits-1:0] result[0:{{ result_beats }}];

  task automatic tick;
    begin
      #5 clk_i = 1'b1;
      #5 clk_i = 1'b0;
      if (counted) cycle = cycle + 1;
    end
  endtask

  task automatic write_register(input [7:0] address, input integer value);
    begin
      s_axil_awaddr_i = address;
      s_axil_wdata_i = value;
      s_axil_awvalid_i = 1'b1;
      s_axil_wvalid_i = 1'b1;
      tick;
      s_axil_awvalid_i = 1'b0;
      s_axil_wvalid_i = 1'b0;
      tick;
    end
  endtask

  // Steps on the register bus, see harness.cpp.
  integer bus, kind, address, skip, bus_step, start;
  integer bus_cycles = 0;
  integer bus_busy = 0;
  logic [31:0] data, value;
  logic [1:0] response;
  logic waited = 1'b1;

  task automatic bus_tick;
    begin
      #4;
{%- if access %}
      if (access_busy_o === 1'b1) bus_busy = bus_busy + 1;
{%- endif %}
      bus_cycles = bus_cycles + 1;
      #1 clk_i = 1'b1;
      #5 clk_i = 1'b0;
    end
  endtask

  task automatic bus_write(input integer at, input [31:0] word);
    begin
      s_axil_awaddr_i = at;
      s_axil_wdata_i = word;
      s_axil_awvalid_i = 1'b1;
      s_axil_wvalid_i = 1'b1;
      bus_tick;
      s_axil_awvalid_i = 1'b0;
      s_axil_wvalid_i = 1'b0;
      response = s_axil_bresp_o;
      bus_tick;
    end
  endtask

  task automatic bus_read(input integer at);
    begin
      s_axil_araddr_i = at;
      s_axil_arvalid_i = 1'b1;
      bus_tick;
      s_axil_arvalid_i = 1'b0;
      response = s_axil_rresp_o;
      value = s_axil_rdata_o;
      bus_tick;
    end
  endtask

  task automatic bus_steps;
    begin
      bus_step = 0;
      skip = 0;
      value = '0;
      bus = $fopen(path, "r");
      while (waited && $fscanf(bus, "%d %d %d", kind, address, data) == 3) begin
        if (skip > 0) skip = skip - 1;
        else if (kind == 0) begin
          bus_write(address, data);
          if (response !== 2'b00) $fwrite(out, "B %0d %0d %0d %0d 0\n", bus_step, bus_cycles, bus_busy, response);
        end else if (kind == 3) begin
          if (!value[address]) skip = data;
        end else begin
          start = bus_cycles;
          bus_read(address);
          while (kind == 2 && response === 2'b00 && (value & data) !== 32'd0 && bus_cycles - start <= limit) bus_read(address);
          $fwrite(out, "B %0d %0d %0d %0d %0d\n", bus_step, bus_cycles, bus_busy, response, value);
          waited = kind != 2 || (value & data) === 32'd0;
        end
        bus_step = bus_step + 1;
      end
      $fclose(bus);
    end
  endtask

  task automatic reset;
    integer i;
    begin
      s_axis_tvalid_i = 1'b0;
      m_axis_tready_i = 1'b0;
      rst_ni = 1'b0;
      for (i = 0; i < 4; i = i + 1) tick;
      rst_ni = 1'b1;
      base = done;
      started = done;
      beat = 0;
      offering = 1'b0;
      held = 1'b0;
      result_beats = 0;
{%- for t in taps %}
      fired{{ loop.index0 }} = 0;
{%- if t.per_image == 0 %}
      fired_before_{{ loop.index0 }} = 0;
{%- endif %}
{%- endfor %}
      if (precharge > 0) write_register(8'h0C, precharge);
      if (window > 0) write_register(8'h10, window);
    end
  endtask

  function automatic integer below(input integer n);
    below = $unsigned($random(random_state)) % n;
  endfunction

  // Only the last image is left and resets are still due: its result has to wait for them.
  function automatic logic resets_due_in_last();
    resets_due_in_last = resets > 0 && done + 1 == images;
  endfunction

  // Whether every tap has fired for every image: positions that no later layer needs may come after the last result.
  logic drained;
  always_comb begin
    drained = 1'b1;
{%- for t in taps %}{% if t.detail == 0 && t.per_image > 0 %}
    if (fired{{ loop.index0 }} < (images - base) * {{ t.per_image }}) drained = 1'b0;
{%- endif %}{%- endfor %}
  end

  initial begin
    if ($value$plusargs("images=%d", images) == 0) images = 0;
    if ($value$plusargs("seed=%d", seed) == 0) seed = 0;
    if ($value$plusargs("resets=%d", resets) == 0) resets = 0;
    if ($value$plusargs("limit=%d", limit) == 0) limit = 1000000;
    if ($value$plusargs("detail=%d", detail) == 0) detail = -1;
    if ($value$plusargs("precharge=%d", precharge) == 0) precharge = 0;
    if ($value$plusargs("window=%d", window) == 0) window = 0;
    if (images * Beats > {{ most_beats }}) begin
      $display("tb: at most %0d beats", {{ most_beats }});
      $finish;
    end
    if ($value$plusargs("trace=%s", path) != 0) begin
      $dumpfile(path);
      $dumpvars(0, sim);
    end
    if ($value$plusargs("stimulus=%s", path) == 0) path = "stimulus.hex";
    stimulus = $fopen(path, "r");
    for (k = 0; k < images * Beats; k = k + 1) code = $fscanf(stimulus, "%h", beats[k]);
    $fclose(stimulus);
{%- if memory %}
    if ($value$plusargs("commands=%s", path) == 0) path = "commands.hex";
    stimulus = $fopen(path, "r");
    for (k = 0; k < images; k = k + 1) code = $fscanf(stimulus, "%h", commands[k]);
    $fclose(stimulus);
{%- endif %}
    if ($value$plusargs("out=%s", path) == 0) path = "out.txt";
    out = $fopen(path, "w");
    random_state = seed;
    reset;
    if ($value$plusargs("bus=%s", path) != 0) bus_steps;
    if (!waited) begin
      $fwrite(out, "W\n");
      $fclose(out);
      $finish;
    end
    counted = 1'b1;
    if (resets > 0) reset_in = 1 + below(Near);
    while ((done < images || !drained) && cycle - last_progress <= limit) begin
      if (!offering) offering = started < images && !(seed != 0 && below(3) == 0);
      s_axis_tvalid_i = offering;
      if (offering) begin
        s_axis_tdata_i = beats[started*Beats+beat];
        s_axis_tlast_i = beat + 1 == Beats;
{%- if memory %}
        s_axis_tuser_i = commands[started];
{%- endif %}
      end
      m_axis_tready_i = !(seed != 0 && below(3) == 0) && !resets_due_in_last();
      #1;
{%- for t in taps %}
      if (tap{{ loop.index0 }}_fire_o === 1'b1) begin
{%- if t.per_image == 0 %}
        $fwrite(out, "T {{ loop.index0 }} %0d %0d %0d %h\n", base + fired{{ result_tap }}, cycle,
                fired{{ loop.index0 }} - fired_before_{{ loop.index0 }}, tap{{ loop.index0 }}_data_o);
{%- else %}
        if ({{ t.detail }} == 0 || base + fired{{ loop.index0 }} / {{ t.per_image }} == detail) begin
          $fwrite(out, "T {{ loop.index0 }} %0d %0d %0d %h\n", base + fired{{ loop.index0 }} / {{ t.per_image }}, cycle,
                  fired{{ loop.index0 }} % {{ t.per_image }}, tap{{ loop.index0 }}_data_o);
        end
{%- endif %}
        fired{{ loop.index0 }} = fired{{ loop.index0 }} + 1;
      end
{%- endfor %}
{%- for t in taps %}{% if t.per_image == 0 %}
      if (tap{{ result_tap }}_fire_o === 1'b1) fired_before_{{ loop.index0 }} = fired{{ loop.index0 }};
{%- endif %}{%- endfor %}
      if (held && m_axis_tvalid_o !== 1'b1) $fwrite(out, "P %0d 1\n", cycle);
      if (held && m_axis_tvalid_o === 1'b1 && m_axis_tdata_o !== held_data) $fwrite(out, "P %0d 2\n", cycle);
      held = m_axis_tvalid_o === 1'b1 && !m_axis_tready_i;
      held_data = m_axis_tdata_o;
      if (m_axis_tvalid_o === 1'b1 && m_axis_tready_i) begin
        if (result_beats > {{ result_beats }}) $fwrite(out, "P %0d 3\n", cycle);
        else result[result_beats] = m_axis_tdata_o;
        result_beats = result_beats + 1;
        if (m_axis_tlast_o) begin
          $fwrite(out, "O %0d %0d ", done, cycle);
          for (k = result_beats - 1; k >= 0; k = k - 1) $fwrite(out, "%h", result[k]);
          $fwrite(out, "\n");
          result_beats = 0;
          done = done + 1;
          last_progress = cycle;
        end
      end
      if (offering && s_axis_tready_o === 1'b1) begin
        if (first_beat < 0) first_beat = cycle;
        offering = 1'b0;
        beat = beat + 1;
        if (beat == Beats) begin
          beat = 0;
          started = started + 1;
        end
      end
      #4 clk_i = 1'b1;
      #5 clk_i = 1'b0;
      cycle = cycle + 1;
      if (reset_in > Near && resets_due_in_last()) reset_in = 1 + below(Near);
      if (reset_in > 0 && done < images) begin
        reset_in = reset_in - 1;
        if (reset_in == 0) begin
          $fwrite(out, "R %0d %0d %0d\n", cycle, done, beat > 0 ? started + 1 : started);
          reset;
          last_progress = cycle;
          resets = resets - 1;
          if (resets > 0) reset_in = 1 + below(8 * (cycle / (done + 1) + Beats));
        end
      end
    end
    $fwrite(out, "E %0d %0d %0d\n", cycle, first_beat, done < images ? 1 : 0);
    $fclose(out);
    $finish;
  end
endmodule

`default_nettype wire
