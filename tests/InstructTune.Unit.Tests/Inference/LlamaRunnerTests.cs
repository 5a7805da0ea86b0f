using InstructTune.Inference;
using InstructTune.Inference.Engine;
using Microsoft.Extensions.Options;

namespace InstructTune.Unit.Tests.Inference;

public sealed class LlamaRunnerTests
{
    [Fact]
    public void An_adapter_may_be_removed_after_its_base()
    {
        var runner = new LlamaRunner(Options.Create(new TorchOptions()), Options.Create(new InferenceOptions()));
        runner.RemoveBase("base");

        Assert.Null(Record.Exception(() => runner.RemoveAdapter("base", "adapter")));
    }
}
