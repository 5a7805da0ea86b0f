using InstructTune.Modeling.Weights;

namespace InstructTune.Numerics.Tests.Weights;

/// <summary>Every broken folder of the fixtures is refused with a message that names what is wrong.</summary>
public sealed class BrokenModelTests
{
    private static readonly string[] s_onlyWarned = ["index-total-size", "tied-but-different"];

    public static TheoryData<string> Folders => [.. Fixtures.Names("models", "bad").Where(n => n != "good").DefaultIfEmpty("none")];

    [Theory]
    [MemberData(nameof(Folders))]
    public void A_broken_model_is_refused_by_name(string name)
    {
        var root = Fixtures.Folder("models", "bad");
        var demanded = Fixtures.Json(Path.Combine(root, "bad.json")).GetProperty("cases").EnumerateArray()
            .Single(c => c.GetProperty("folder").GetString() == name)
            .GetProperty("error_must_name").EnumerateArray().Select(e => e.GetString()!);
        if (s_onlyWarned.Contains(name))
        {
            var warnings = new List<string>();
            using var model = ModelFolder.Load(Path.Combine(root, name), warnings.Add);
            Assert.All(demanded, part => Assert.Contains(warnings, w => w.Contains(part, StringComparison.Ordinal)));
            return;
        }

        var refusal = Assert.Throws<ModelFormatException>(() => ModelFolder.Load(Path.Combine(root, name)));
        Assert.All(demanded, part => Assert.Contains(part, refusal.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void The_sound_twin_loads()
    {
        using var model = ModelFolder.Load(Path.Combine(Fixtures.Folder("models", "bad"), "good"), warning => Assert.Fail(warning));
        Assert.NotEmpty(model.Parameters);
    }
}
