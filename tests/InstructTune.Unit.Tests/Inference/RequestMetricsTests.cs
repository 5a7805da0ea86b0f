using System.Diagnostics.Metrics;
using InstructTune.Inference.Admission;
using InstructTune.Inference.Engine;
using InstructTune.Inference.Serving;
using Microsoft.Extensions.DependencyInjection;

namespace InstructTune.Unit.Tests.Inference;

public sealed class RequestMetricsTests
{
    [Theory]
    [InlineData(1, 11, 1.0)]
    [InlineData(4, 44, 1.0)]
    [InlineData(2, 3, 20.0)]
    [InlineData(3, 3, null)]
    public void The_time_of_a_token_is_that_of_one_text_however_many_are_made_side_by_side(int candidates, int tokens, double? expected)
    {
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var metrics = new RequestMetrics(services.GetRequiredService<IMeterFactory>(), new AdmissionGate(new AdmissionLimits(1, 1), TimeProvider.System));
        List<double> seen = [];
        var name = $"model-{Guid.NewGuid()}";
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, own) =>
        {
            if (instrument.Name == "gen_ai.server.time_per_output_token")
            {
                own.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<double>((_, seconds, labels, _) =>
        {
            if (labels[0].Value is string model && model == name)
            {
                seen.Add(seconds);
            }
        });
        listener.Start();

        metrics.RecordText(name, Urgency.Standard, 5, new GenerationFigures(tokens, TimeSpan.Zero, TimeSpan.FromSeconds(2)), candidates, TimeSpan.FromSeconds(12));

        Assert.Equal(expected is { } value ? [value] : [], seen);
    }
}
