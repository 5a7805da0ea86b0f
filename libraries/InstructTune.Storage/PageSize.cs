namespace InstructTune.Storage;

/// <summary>What a requested page size means, everywhere alike.</summary>
public static class PageSize
{
    public const int Default = 50;
    public const int Max = 1000;

    public static int Of(int requested) => requested <= 0 ? Default : Math.Min(requested, Max);
}
